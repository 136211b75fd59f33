"""Who changed what, and changes that must not meet unseen ones."""

from shared.ids import secret_hash
from tests.integration.channels_api.world import ACCESS_TOKEN, APP_SECRET, CREATE, World


async def headers_of(world: World, path: str) -> str:
    async with world.http.get(world.public + path, headers={"X-API-Key": world.key}) as answer:
        assert answer.status == 200
        return answer.headers["ETag"]


async def test_every_change_is_kept_with_names_and_without_values(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    path = f"/api/channels/{channel['id']}"
    await world.call("PATCH", path, {"label": "Night line", "access_token": ACCESS_TOKEN + "x"})
    await world.call("PATCH", path, {"rotate_verify_token": True})
    await world.call("DELETE", path)
    status, found = await world.call("GET", f"{path}/audit")
    assert status == 200
    assert [(item["action"], item["fields"]) for item in found["audit"]] == [
        ("deleted", []),
        ("updated", ["rotate_verify_token"]),
        ("updated", ["access_token", "label"]),
        ("created", sorted(CREATE)),
    ]
    _, everywhere = await world.call("GET", "/api/audit")
    own = [item for item in everywhere["audit"] if item["channel_id"] in path]
    assert [
        {k: v for k, v in item.items() if k not in {"channel_id", "label"}} for item in own
    ] == (found["audit"])
    first = found["audit"][-1]
    assert (first["key_label"], first["version"]) == ("first key", 1)
    assert secret_hash(world.key).startswith(first["key"])
    assert len(first["key"]) == 12
    for secret in (ACCESS_TOKEN, APP_SECRET, "Night line", world.key):
        assert secret not in repr(found)
    _, newest = await world.call("GET", f"{path}/audit?limit=1")
    assert [item["action"] for item in newest["audit"]] == ["deleted"]
    assert (await world.call("GET", "/api/channels/mc_none/audit"))[0] == 404


async def test_a_change_of_something_unseen_is_refused(world: World) -> None:
    _, channel = await world.call("POST", "/api/channels", CREATE)
    path = f"/api/channels/{channel['id']}"
    seen = await headers_of(world, path)
    assert (await world.call("PATCH", path, {"label": "one"}, **{"If-Match": seen}))[0] == 200
    for method, body in (("PATCH", {"label": "two"}), ("DELETE", None)):
        status, refused = await world.call(method, path, body, **{"If-Match": seen})
        assert status == 412
        assert refused["type"].endswith("changed-meanwhile")
    fresh = await headers_of(world, path)
    assert fresh != seen
    both = f'"0", {fresh}'
    assert (await world.call("PATCH", path, {"label": "two"}, **{"If-Match": both}))[0] == 200
    assert (await world.call("DELETE", path, **{"If-Match": "*"}))[0] == 204

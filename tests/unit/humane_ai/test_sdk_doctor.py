"""``client.channels``: the doctor and the setup at Meta."""

from humane_ai import CheckReport, Finding, SetupReport
from tests.unit.humane_ai.callers import Caller
from tests.unit.humane_ai.test_sdk_channels import created
from tests.unit.humane_ai.wire import Wire

FAILED = Finding("webhook_arriving", "failed", "Nothing arrived.", "Press Verify and save.")


async def test_a_check_tells_what_is_wrong(call: Caller, wire: Wire) -> None:
    channel = await created(call)
    report: CheckReport = await call(lambda c: c.channels.check(channel.id))
    assert (wire.seen[1].method, wire.seen[1].path) == ("POST", "/api/channels/mc_1/check")
    assert wire.seen[1].body == {}
    assert (report.channel_id, report.state, len(report.findings)) == ("mc_1", "failed", 2)
    assert report.problems == (FAILED,)
    assert report.checked_at.year == 2026


async def test_a_check_may_know_the_public_address(call: Caller, wire: Wire) -> None:
    channel = await created(call)
    await call(lambda c: c.channels.check(channel.id, public_base_url="https://a.example"))
    assert wire.seen[1].body == {"public_base_url": "https://a.example"}


async def test_a_setup_is_asked_for_and_read(call: Caller, wire: Wire) -> None:
    channel = await created(call)
    report: SetupReport = await call(
        lambda c: c.channels.setup(channel.id, public_base_url="https://a.example")
    )
    assert (wire.seen[1].method, wire.seen[1].path) == ("POST", "/api/channels/mc_1/setup")
    assert wire.seen[1].body == {"public_base_url": "https://a.example", "subscribe": True}
    assert (report.state, report.problems, report.steps[0].is_ok) == ("ok", (), True)


async def test_a_creation_may_set_everything_up(call: Caller, wire: Wire) -> None:
    channel = await created(call, public_base_url="https://a.example", subscribe=True)
    assert wire.seen[0].body["public_base_url"] == "https://a.example"
    assert wire.seen[0].body["subscribe"] is True
    assert channel.verify_token
    assert channel.setup.state == "failed"
    assert channel.setup.problems == (FAILED,)
    assert (await created(call)).setup is None


async def test_a_creation_may_be_looked_at_by_the_doctor(call: Caller, wire: Wire) -> None:
    channel = await created(call, check=True)
    assert wire.seen[0].body["check"] is True
    assert (channel.check.state, channel.check.problems) == ("failed", (FAILED,))
    assert (await created(call)).check is None
    assert "check" not in wire.seen[1].body


async def test_the_diagnosis_comes_with_the_activity(call: Caller, wire: Wire) -> None:
    channel = await created(call)
    assert await call(lambda c: c.channels.diagnosis(channel.id)) == FAILED
    assert wire.seen[1].path == "/api/channels/mc_1/activity?limit=1"

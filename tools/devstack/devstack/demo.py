"""A channel on the simulator, so that a newcomer sees the whole loop without an account."""

import aiohttp

from devstack.kept import Kept

DEMO_NUMBER_ID = "990000000000017"
DEMO_DISPLAY_NUMBER = "+1 555 010 0001"


async def connect_demo_channel(base_url: str, simulator_url: str, kept: Kept) -> str | None:
    """Create the demo channel once, and tell the simulator about it at every start.

    None when it cannot be had, for example because its owner deleted it: then it stays deleted.
    """
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        if not kept.demo_channel_id and not await _create(http, base_url, kept):
            return None
        webhook = f"{base_url}/api/ingress/whatsapp/{kept.demo_channel_id}"
        number = {
            "phone_number_id": DEMO_NUMBER_ID,
            "display_phone_number": DEMO_DISPLAY_NUMBER,
            "access_token": kept.demo_access_token,
            "app_secret": kept.demo_app_secret,
            "callback_url": webhook,
            "verify_token": kept.demo_verify_token,
        }
        async with http.post(f"{simulator_url}/sim/numbers", json=number) as answer:
            return kept.demo_channel_id if answer.status < 300 else None


async def _create(http: aiohttp.ClientSession, base_url: str, kept: Kept) -> bool:
    body = {
        "type": "whatsapp",
        "phone_number_id": DEMO_NUMBER_ID,
        "access_token": kept.demo_access_token,
        "app_secret": kept.demo_app_secret,
        "label": "Demo care line (simulated)",
        "auto_reply": True,
    }
    async with http.post(
        f"{base_url}/api/channels", json=body, headers={"X-API-Key": kept.api_key}
    ) as answer:
        if answer.status != 201:
            return False
        created = await answer.json()
    kept.demo_channel_id = created["id"]
    kept.demo_verify_token = created["verify_token"]
    return True

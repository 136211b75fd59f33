"""Runs the simulator: ``python -m metasim``."""

import argparse
import logging
import sys

from aiohttp import web

from metasim.app import build_app
from metasim.config import SimConfig, StatusStep
from metasim.events import JsonLines, log_event

EPILOG = """\
The Graph API answers under /v25.0/…, the control side under /sim/…, the phone's page at /.

  curl -s localhost:9099/sim/numbers -d '{"phone_number_id": "1055", "access_token": "EAAG-token",
    "app_secret": "secret", "display_phone_number": "+1 555 000 0000",
    "callback_url": "http://127.0.0.1:8080/api/ingress/whatsapp/mc_…", "verify_token": "…"}'
  curl -s localhost:9099/sim/phone/messages -d '{"phone_number_id": "1055",
    "from": "+15551234567", "text": "Hello"}'
  curl -s 'localhost:9099/sim/phone/15551234567/wait?after=0&timeout_s=10'

Events go to standard output, one JSON line each, without tokens, texts or phone numbers."""


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(",") if part.strip())


def _arguments() -> argparse.Namespace:
    usual = SimConfig()
    parser = argparse.ArgumentParser(
        prog="python -m metasim",
        description="A double of Meta's WhatsApp Cloud API, and a phone to write from.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=int, default=9099, help="port to listen on (%(default)s)")
    add("--no-window", action="store_true", help="allow free-form messages at any time")
    add(
        "--pair-burst",
        type=int,
        default=usual.pair_burst,
        metavar="N",
        help="messages at once to one recipient (%(default)s)",
    )
    add(
        "--pair-interval-s",
        type=float,
        default=usual.pair_interval_s,
        metavar="S",
        help="seconds for each further one (%(default)s)",
    )
    add(
        "--throughput-per-s",
        type=float,
        default=usual.throughput_per_s,
        metavar="N",
        help="messages a second of one number, in and out (%(default)s)",
    )
    add(
        "--status-delays-ms",
        type=_numbers,
        default=(20.0, 50.0, 100.0),
        metavar="SENT,DELIVERED,READ",
        help="milliseconds until each status callback; fewer values stop earlier, an empty string "
        "switches them off (20,50,100)",
    )
    add(
        "--retry-delays-s",
        type=_numbers,
        default=usual.webhook_retry_delays_s,
        metavar="S,S,…",
        help="seconds before each retry of a webhook (0,0.5,1,2,4,8)",
    )
    add(
        "--webhook-timeout-s",
        type=float,
        default=usual.webhook_timeout_s,
        metavar="S",
        help="seconds that a webhook may take (%(default)s)",
    )
    add(
        "--public-url",
        metavar="URL",
        help="where receivers reach the simulator, for links to media (as the caller reached it)",
    )
    add("--no-escape", action="store_true", help="send webhooks as plain UTF-8 JSON")
    return parser.parse_args()


def main() -> int:
    """Serve until SIGINT or SIGTERM."""
    arguments = _arguments()
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    ticks = zip(("sent", "delivered", "read"), arguments.status_delays_ms, strict=False)
    try:
        config = SimConfig(
            window_enforced=not arguments.no_window,
            pair_burst=arguments.pair_burst,
            pair_interval_s=arguments.pair_interval_s,
            throughput_per_s=arguments.throughput_per_s,
            statuses=tuple(StatusStep(status, delay_ms) for status, delay_ms in ticks),
            webhook_retry_delays_s=arguments.retry_delays_s,
            webhook_timeout_s=arguments.webhook_timeout_s,
            escape_unicode=not arguments.no_escape,
            public_url=arguments.public_url,
        )
    except ValueError as error:
        print(f"python -m metasim: {error}", file=sys.stderr)
        return 2
    log_event("simulator_started", host=arguments.host, port=arguments.port)
    web.run_app(
        build_app(config),
        host=arguments.host,
        port=arguments.port,
        print=lambda *_: None,
        access_log=None,
        shutdown_timeout=5.0,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Every metric of the product, named once. Labels never hold a tenant, a user or a channel."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

FAST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Around Meta's wish for webhooks: median 250 ms, under 1 % over 1 s."""

SLOW_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)


class Metrics:
    """The metrics of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.webhooks = Counter("webhooks", "Webhook posts by outcome.", ["outcome"], registry=r)
        self.webhook_seconds = Histogram(
            "webhook_duration_seconds",
            "From the request to its answer.",
            buckets=FAST_SECONDS,
            registry=r,
        )
        self.pace_wait_seconds = Histogram(
            "pace_wait_seconds",
            "How long a message waits for its place under a limit of the provider.",
            ["limit"],
            registry=r,
            buckets=(0.01, 0.1, 0.5, 1, 5, 15, 60, 300),
        )
        self.webhook_items = Counter(
            "webhook_items", "Messages, statuses and others inside webhooks.", ["kind"], registry=r
        )
        self.handshakes = Counter(
            "webhook_handshakes", "Verification requests by outcome.", ["outcome"], registry=r
        )
        self.http_seconds = Histogram(
            "http_request_duration_seconds",
            "By route template and status class.",
            ["route", "status"],
            buckets=FAST_SECONDS,
            registry=r,
        )
        self.consumed = Counter(
            "messages_consumed", "By consumer and outcome.", ["consumer", "outcome"], registry=r
        )
        self.emitted = Counter(
            "outbox_published", "Messages published from documents.", ["collection"], registry=r
        )
        self.interactions = Counter(
            "interactions", "By channel and safety action.", ["channel", "action"], registry=r
        )
        self.readings = Counter(
            "readings", "Messages read by a model, by tier and why it was that one.",
            ["tier", "reason"], registry=r,
        )  # fmt: skip
        self.stage_seconds = Histogram(
            "pipeline_stage_duration_seconds",
            "By stage of the pipeline.",
            ["stage"],
            buckets=FAST_SECONDS,
            registry=r,
        )
        self.reply_seconds = Histogram(
            "reply_model_duration_seconds",
            "Until the reply model answered or gave up.",
            ["outcome"],
            buckets=SLOW_SECONDS,
            registry=r,
        )
        self.message_age_seconds = Histogram(
            "message_age_seconds",
            "From the provider's timestamp to a point of the loop.",
            ["point"],
            buckets=SLOW_SECONDS,
            registry=r,
        )
        self.deliveries = Counter(
            "deliveries", "Replies by end state and provider code.", ["state", "code"], registry=r
        )
        self.graph_seconds = Histogram(
            "graph_request_duration_seconds",
            "Calls to the Graph API by kind and outcome.",
            ["kind", "outcome"],
            buckets=SLOW_SECONDS,
            registry=r,
        )
        self.cache_reads = Counter(
            "cache_reads", "By cache and result.", ["cache", "result"], registry=r
        )
        self.ready = Gauge("service_ready", "1 while the service takes work.", registry=r)

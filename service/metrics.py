"""Counts and times for Prometheus. Labels are routes, statuses and stages: never what was asked."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from indexer.store.reader import IndexReader

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one service, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "medsearch_requests",
            "Requests answered.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._request_s = Histogram(
            "medsearch_request_seconds",
            "Time to answer a request.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._stage_s = Histogram(
            "medsearch_stage_seconds",
            "Time of each stage of a search.",
            ("target", "stage"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._records = Gauge(
            "medsearch_index_records",
            "Records in the live build of an index.",
            ("index", "build"),
            registry=self._registry,
        )
        self._ready = Gauge(
            "medsearch_ready", "1 when searches are answered.", registry=self._registry
        )

    def count_request(self, route: str, method: str, status: int, took_s: float) -> None:
        """Count one answered request."""
        self._requests.labels(route, method, str(status)).inc()
        self._request_s.labels(route).observe(took_s)

    def count_stages(self, target: str, stages_ms: Mapping[str, float]) -> None:
        """Record the times of one search's stages."""
        for stage, took_ms in stages_ms.items():
            self._stage_s.labels(target, stage).observe(took_ms / 1000)

    def expose(self, snapshot: Mapping[str, IndexReader], *, ready: bool) -> bytes:
        """Return everything in Prometheus's text format, with what is indexed just now."""
        self._ready.set(ready)
        self._records.clear()
        for name, reader in snapshot.items():
            self._records.labels(name, reader.build_id).set(reader.table.num_rows)
        return generate_latest(self._registry)

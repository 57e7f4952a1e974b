"""Metrics in Prometheus' text format: what the HTTP boundary counts itself, and gauges read when somebody asks.

shilu_http_requests_total{route,method,status}   requests answered
shilu_http_request_seconds{route}                time to the end of the answer
shilu_http_requests_running                      requests being answered
shilu_upload_bytes_total                         bytes acknowledged to uploads
shilu_media_bytes_total                          bytes of footage served
shilu_clips{state}                               sealed clips by state
shilu_ledger_entries{place}                      entries: `sequenced` in the tree, `published` under a checkpoint
shilu_ledger_pending                             entries waiting for the sequencer
shilu_ledger_lag_seconds                         age of the oldest entry that is not published
shilu_log_withheld                               1 while the newest checkpoint waits for witnesses, else 0
shilu_witness_size{witness}                      size a witness cosigned last for this process
shilu_witness_success_timestamp_seconds{witness} when it last did (POSIX)
shilu_witness_failing{witness,reason}            1 for a witness that did not cosign when it was asked last
shilu_timestamp_age_seconds{authority}           age of the newest time stamp of an authority
shilu_timestamp_failing{authority,reason}        1 for an authority that gave none when it was asked last
shilu_timestamp_failures{authority}              how often in a row it gave none
shilu_clock_offset_seconds{source}               clock of a witness or an authority minus ours, when it answered last
shilu_audit_completed_seconds                    when the last round of the background audit ended, POSIX time
shilu_audit_findings                             differences that the last round named
shilu_audit_coverage_ratio                       how much of the objects the present round has read, 0 to 1
shilu_copies_waiting                             originals without a copy on record in the second store
shilu_copies_lag_seconds                         since when the oldest of them is sealed
shilu_copies_failing                             1 while copying is interrupted, or refuses an object, else 0
shilu_deadlines{kind,state}                      clocks of the law that are not done: running, paused, overdue
shilu_dock_last_seen_seconds{dock}               how long ago a dock spoke last, for docks that ever did
shilu_disk_free_bytes                            free bytes on the disk of the data folder
"""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpMetrics:
    """The meters of one application; every application has a registry of its own."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    running: Gauge
    upload_bytes: Counter
    media_bytes: Counter
    clips: Gauge
    ledger_entries: Gauge
    ledger_pending: Gauge
    ledger_lag_seconds: Gauge
    log_withheld: Gauge
    witness_size: Gauge
    witness_success: Gauge
    witness_failing: Gauge
    timestamp_age: Gauge
    timestamp_failing: Gauge
    timestamp_failures: Gauge
    clock_offset: Gauge
    disk_free_bytes: Gauge
    dock_last_seen: Gauge
    audit_completed: Gauge
    audit_findings: Gauge
    audit_coverage: Gauge
    copies_waiting: Gauge
    copies_lag_seconds: Gauge
    copies_failing: Gauge
    deadlines: Gauge


METRICS = web.AppKey("metrics", HttpMetrics)


def make_metrics() -> HttpMetrics:
    """Make a fresh set of meters."""
    registry = CollectorRegistry()
    return HttpMetrics(
        registry=registry,
        requests=Counter("shilu_http_requests", "Requests answered", ("route", "method", "status"), registry=registry),
        seconds=Histogram(
            "shilu_http_request_seconds", "Time to the answer", ("route",), buckets=SECONDS_BUCKETS, registry=registry
        ),
        running=Gauge("shilu_http_requests_running", "Requests being answered", registry=registry),
        upload_bytes=Counter("shilu_upload_bytes", "Bytes acknowledged to uploads", registry=registry),
        media_bytes=Counter("shilu_media_bytes", "Bytes of footage served", registry=registry),
        clips=Gauge("shilu_clips", "Sealed clips", ("state",), registry=registry),
        ledger_entries=Gauge("shilu_ledger_entries", "Entries of the log", ("place",), registry=registry),
        ledger_pending=Gauge("shilu_ledger_pending", "Entries waiting for the sequencer", registry=registry),
        ledger_lag_seconds=Gauge(
            "shilu_ledger_lag_seconds", "Age of the oldest entry not published", registry=registry
        ),
        log_withheld=Gauge("shilu_log_withheld", "Whether a checkpoint waits for witnesses", registry=registry),
        witness_size=Gauge("shilu_witness_size", "Size cosigned last", ("witness",), registry=registry),
        witness_success=Gauge(
            "shilu_witness_success_timestamp_seconds", "When it last cosigned", ("witness",), registry=registry
        ),
        witness_failing=Gauge(
            "shilu_witness_failing", "Did not cosign when asked last", ("witness", "reason"), registry=registry
        ),
        timestamp_age=Gauge(
            "shilu_timestamp_age_seconds", "Age of the newest time stamp", ("authority",), registry=registry
        ),
        timestamp_failing=Gauge(
            "shilu_timestamp_failing", "Gave none when asked last", ("authority", "reason"), registry=registry
        ),
        timestamp_failures=Gauge("shilu_timestamp_failures", "Failures in a row", ("authority",), registry=registry),
        clock_offset=Gauge("shilu_clock_offset_seconds", "Another clock minus ours", ("source",), registry=registry),
        disk_free_bytes=Gauge("shilu_disk_free_bytes", "Free bytes on the data folder's disk", registry=registry),
        dock_last_seen=Gauge(
            "shilu_dock_last_seen_seconds", "How long ago a dock spoke last", ("dock",), registry=registry
        ),
        audit_completed=Gauge("shilu_audit_completed_seconds", "End of the last audit, POSIX time", registry=registry),
        audit_findings=Gauge("shilu_audit_findings", "Differences the last audit named", registry=registry),
        audit_coverage=Gauge("shilu_audit_coverage_ratio", "Part of the objects read in this round", registry=registry),
        copies_waiting=Gauge("shilu_copies_waiting", "Originals without a second copy", registry=registry),
        copies_lag_seconds=Gauge("shilu_copies_lag_seconds", "Age of the oldest of them", registry=registry),
        deadlines=Gauge("shilu_deadlines", "Clocks that are not done", ("kind", "state"), registry=registry),
        copies_failing=Gauge("shilu_copies_failing", "Whether copying is interrupted or refused", registry=registry),
    )

"""Temporal's own log and metrics of this process."""

from __future__ import annotations

import logging

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from connection.errors import BadConfiguration
from workers.settings import WorkerSettings

_CORE_LEVELS = {"DEBUG": "INFO", "INFO": "WARN", "WARNING": "WARN", "ERROR": "ERROR"}
"""Our level → how much the SDK's core says; its own DEBUG is a flood."""


def build_runtime(settings: WorkerSettings) -> Runtime:
    """The runtime a worker's client is connected with: core logs through ours, metrics where Prometheus asks.

    Raises BadConfiguration when the metrics' address can't be used.
    """
    forwarding = LogForwardingConfig(
        logging.getLogger("temporalio.core"), prepend_target_on_message=False, append_log_fields_to_message=False
    )
    levels = TelemetryFilter(core_level=_CORE_LEVELS[settings.log_level], other_level="ERROR")
    metrics = None
    if settings.metrics_address is not None:
        metrics = PrometheusConfig(
            settings.metrics_address, counters_total_suffix=True, unit_suffix=True, durations_as_seconds=True
        )
    try:
        return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(levels, forwarding=forwarding), metrics=metrics))
    except ValueError as error:
        raise BadConfiguration(
            f"Metrics can't be offered at {settings.metrics_address}: {error}.",
            "Set LIVEBASE_METRICS_ADDRESS to an address of this machine and a free port, or leave it out.",
        ) from error

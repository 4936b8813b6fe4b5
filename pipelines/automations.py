"""Automations of the Prefect server that earlier versions created for alerts, and that the monitor has replaced."""

from contextlib import suppress

from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectNotFound

NAMES = ("crashed", "failed", "late", "stuck")
BLOCK = "splitpose-alert"
"""The block that contained the URL of the webhook."""


def remove(client: SyncPrefectClient) -> None:
    """Delete the automations and their block, so that nothing is posted twice."""
    for name in NAMES:
        for automation in client.read_automations_by_name(f"splitpose: {name}"):
            client.delete_automation(automation.id)
    with suppress(ObjectNotFound):
        client.delete_block_document(client.read_block_document_by_name(BLOCK, "webhook").id)

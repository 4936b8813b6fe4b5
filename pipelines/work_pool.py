"""The work pool of our deployments, whose runs cannot change the command that a worker executes."""

from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectNotFound

POOL = "splitpose"
TYPE = "process"
JOB_TEMPLATE: dict[str, Any] = {
    "job_configuration": {"stream_output": True},
    "variables": {"type": "object", "properties": {}, "additionalProperties": False},
}
"""A base job template without variables: the server rejects runs and deployments that set command, environment or
folder of their process, and the worker would ignore them."""


def set_up(client: SyncPrefectClient) -> None:
    """Create the work pool, or replace the job template of an existing process pool.

    A pool of another type (Kubernetes, Docker) requires variables and remains unchanged.
    """
    try:
        present = client.read_work_pool(POOL)
    except ObjectNotFound:
        client.create_work_pool(WorkPoolCreate(name=POOL, type=TYPE, base_job_template=JOB_TEMPLATE))
        return
    if present.type == TYPE and present.base_job_template != JOB_TEMPLATE:
        client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=JOB_TEMPLATE))

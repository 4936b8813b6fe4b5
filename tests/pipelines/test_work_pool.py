"""The work pool's job template."""

import asyncio
from unittest.mock import Mock

import pytest
from prefect.client.schemas.objects import WorkPool
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker

from pipelines import work_pool


def test_a_worker_ignores_variables_that_the_server_did_not_reject():
    values = {"command": "touch executed", "env": {"A": "b"}, "env.A": "b", "working_dir": "/", "name": "other"}
    configuration = asyncio.run(
        ProcessJobConfiguration.from_template_and_values(work_pool.JOB_TEMPLATE, values, client=Mock())
    )
    assert configuration == ProcessJobConfiguration()


def test_a_missing_pool_is_created():
    client = Mock()
    client.read_work_pool.side_effect = ObjectNotFound(Mock())
    work_pool.set_up(client)
    (created,) = client.create_work_pool.call_args.args
    assert (created.name, created.type, created.base_job_template) == (
        "splitpose",
        "process",
        work_pool.JOB_TEMPLATE,
    )


@pytest.mark.parametrize("template", [{}, ProcessWorker.get_default_base_job_template()])
def test_the_template_of_an_existing_process_pool_is_replaced(template):
    client = Mock()
    client.read_work_pool.return_value = WorkPool(name="splitpose", type="process", base_job_template=template)
    work_pool.set_up(client)
    name, update = client.update_work_pool.call_args.args
    assert (name, update.base_job_template) == ("splitpose", work_pool.JOB_TEMPLATE)


@pytest.mark.parametrize(("kind", "template"), [("kubernetes", {}), ("process", work_pool.JOB_TEMPLATE)])
def test_other_pools_remain_unchanged(kind, template):
    client = Mock()
    client.read_work_pool.return_value = WorkPool(name="splitpose", type=kind, base_job_template=template)
    work_pool.set_up(client)
    assert [call[0] for call in client.method_calls] == ["read_work_pool"]

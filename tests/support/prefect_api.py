"""A client of a Prefect server's REST API that sends password and CSRF token, as the UI does."""

from typing import Any
from uuid import uuid4

import requests


class PrefectApi:
    """The REST API of a Prefect server."""

    def __init__(self, url: str, auth_string: str):
        self.url = url
        self.session = requests.Session()
        user, _, password = auth_string.partition(":")
        self.session.auth = (user, password)
        client = str(uuid4())
        token = self.session.get(f"{url}/csrf-token", params={"client": client}, timeout=10).json()["token"]
        self.session.headers.update({"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": client})

    def request(self, method: str, path: str, **body: object) -> requests.Response:
        """Send a request; return the response, whatever its status."""
        return self.session.request(method, f"{self.url}/{path}", json=body, timeout=10)

    def post(self, path: str, **body: object) -> Any:
        """Return the content of the response to a successful POST."""
        response = self.request("POST", path, **body)
        response.raise_for_status()
        return response.json()

    def deployments(self) -> dict[str, Any]:
        """Return the deployments by name."""
        return {one["name"]: one for one in self.post("deployments/filter")}

    def runs(self, deployment: str) -> list[Any]:
        """Return the flow runs of the deployment with this id."""
        return self.post("flow_runs/filter", deployments={"id": {"any_": [deployment]}}, sort="START_TIME_ASC")

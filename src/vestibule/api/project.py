"""What a project can ask about itself: who it is, and how much it holds."""

from typing import Final, Literal

import msgspec

from vestibule.api.endpoint import Call, Group, Request, Response
from vestibule.domain import projects
from vestibule.permissions import ProjectSecret

of_project: Final = Group("project")
of_debug: Final = Group("debug")


class NothingRequest(Request):
    """The credentials say it all."""


class WhoamiResponse(Response):
    """The project whose credentials came."""

    project_id: str
    name: str


@of_debug.endpoint("GET", "/v1/debug/whoami", access=ProjectSecret())
async def whoami(request: NothingRequest, call: Call) -> WhoamiResponse:  # noqa: ARG001 - what every endpoint takes
    """Tell whose credentials these are."""
    return WhoamiResponse(project_id=call.project.project_id, name=call.project.name)


class ProjectMetric(msgspec.Struct, kw_only=True):
    """`consumer.project.ProjectMetric`."""

    metric_type: Literal["USER_COUNT", "ORGANIZATION_COUNT", "MEMBER_COUNT", "M2M_CLIENT_COUNT"]
    count: int


class MetricsResponse(Response):
    """One number for each kind; users and M2M clients are none, as there are none here."""

    project_id: str
    metrics: list[ProjectMetric]


@of_project.endpoint("GET", "/v1/projects/metrics", access=ProjectSecret())
async def metrics(request: NothingRequest, call: Call) -> MetricsResponse:  # noqa: ARG001 - what every endpoint takes
    """Count what the project holds; deleted members do not count."""
    held = await projects.holdings(call.context, call.project)
    return MetricsResponse(
        project_id=call.project.project_id,
        metrics=[
            ProjectMetric(metric_type="USER_COUNT", count=0),
            ProjectMetric(metric_type="ORGANIZATION_COUNT", count=held.organizations),
            ProjectMetric(metric_type="MEMBER_COUNT", count=held.members),
            ProjectMetric(metric_type="M2M_CLIENT_COUNT", count=0),
        ],
    )

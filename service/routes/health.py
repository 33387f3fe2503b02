"""Whether the service is alive, whether it is ready, and its metrics."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from service.json_response import JsonResponse
from service.metrics import CONTENT_TYPE
from service.reply_schemas import AliveReply, ReadyReply
from service.routes.access import service_of
from service.routes.examples import ALIVE_REPLY, METRICS_REPLY, READY_REPLY

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=AliveReply, responses=ALIVE_REPLY)
async def report_alive() -> Response:
    """Say that the process answers; says nothing about its indexes."""
    return JsonResponse({"status": "alive"})


@router.get(
    "/readyz", response_model=ReadyReply, responses=READY_REPLY | {503: {"model": ReadyReply}}
)
async def report_ready(request: Request) -> Response:
    """Say whether indexes are open, encoders loaded and a canary query answered: 200 or 503."""
    service = service_of(request)
    builds: dict[str, str] = {}
    problems: list[dict[str, Any]] = [
        {"index": None, "code": problem.code, "message": problem.message}
        for problem in service.problems
    ]
    opened = service.opened_or_none
    if opened is not None:
        builds = {name: reader.build_id for name, reader in opened.indexes.snapshot().items()}
        problems.extend(
            {"index": name, "code": failure.code, "message": failure.message}
            for name, failure in opened.indexes.failures.items()
        )
    content = {"ready": service.ready, "builds": builds, "problems": problems}
    return JsonResponse(content, 200 if service.ready else 503)


@router.get("/metrics", response_class=Response, responses=METRICS_REPLY)
async def expose_metrics(request: Request) -> Response:
    """Expose counts and times in Prometheus's text format."""
    service = service_of(request)
    opened = service.opened_or_none
    snapshot = opened.indexes.snapshot() if opened else {}
    return Response(service.metrics.expose(snapshot, ready=service.ready), media_type=CONTENT_TYPE)

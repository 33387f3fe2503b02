"""What the service sees in an upload, for people who hold a file that browsers do not show."""

import base64
from typing import Annotated

from fastapi import APIRouter, Body
from starlette.requests import Request
from starlette.responses import Response

from service.json_response import dump_json
from service.reply_schemas import PreviewReply
from service.routes.access import IMAGE_ERRORS, service_of
from service.routes.examples import PREVIEW_EXAMPLES
from service.schemas import PreviewBody, decode_file

router = APIRouter(tags=["search"])


@router.post("/v1/previews", response_model=PreviewReply, responses=IMAGE_ERRORS)
async def preview_image(
    request: Request, body: Annotated[PreviewBody, Body(openapi_examples=PREVIEW_EXAMPLES)]
) -> Response:
    """Show how an image file is read: upright, DICOM windowed, at most 512 pixels, no metadata."""
    service = service_of(request)
    preview = service.opened.preview

    def look() -> bytes:
        seen = preview(decode_file(body.image_base64, "image_base64"), body.window)
        encoded = base64.b64encode(seen.jpeg).decode()
        return dump_json(
            {"jpeg_base64": encoded, "width_px": seen.width_px, "height_px": seen.height_px}
        )

    return Response(await service.run(look), media_type="application/json")

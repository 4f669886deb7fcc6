"""The application: `uvicorn paldocs.main:app`."""
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError

from . import notes, projects, sprints

app = FastAPI(title="paldocs")
for module in (notes, projects, sprints):
    app.include_router(module.router)


@app.get("/health")
def health():
    return {"status": "ok"}


@app.exception_handler(IntegrityError)
def refused(_request, error):
    """Two requests at once for the same name, and whatever else the database does not let in."""
    return JSONResponse({"detail": str(error.orig)}, status_code=409)

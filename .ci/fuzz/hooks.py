"""What schemathesis cannot know from the document: repositories that cost nothing."""

import os

import schemathesis
from hypothesis import strategies

# Deployments are of repositories that the clone-worker finds missing at once: what is tested is the API, not builds.
MISSING = ["file:///nonexistent/repository.git", "file:///nonexistent/%E8%AA%9E.git"]
schemathesis.openapi.format("git-url", strategies.sampled_from(MISSING))


@schemathesis.hook
def map_body(context, body):
    """An analysis is of one that is there, so that its answer is a plan now and then."""
    if context.operation.path == "/analyze" and isinstance(body, dict) and list(body) == ["gitUrl"] and body["gitUrl"] in MISSING:
        return {"gitUrl": os.environ["FUZZ_REPOSITORY"]}
    return body

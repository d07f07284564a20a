"""The process that reads one file from outside and dies with it: `python -m core.documents.child SECONDS MEGABYTES`.

In: a line of JSON that names the module and its parameters, then the bytes. Out: a line of JSON, then the bytes to keep.
"""

import importlib
import json
import resource
import sys
import traceback

from core.documents.refusals import Damaged, TooHeavy
from core.errors import DomainError


def main() -> None:
    """Answer one request under the limits of the command line."""
    _limit(*(int(argument) for argument in sys.argv[1:]))
    head, _, data = sys.stdin.buffer.read().partition(b"\n")
    request = json.loads(head)
    module = importlib.import_module(f"core.documents.{request['module']}")
    refusal: DomainError | None = None
    kept = b""
    try:
        kept = module.clean(data, **request["options"])
    except DomainError as error:
        refusal = error
    except MemoryError:
        refusal = TooHeavy()
    except Exception:  # noqa: BLE001 - a hostile file finds the error nobody thought of: it is refused, and the parent logs this
        traceback.print_exc()
        refusal = Damaged()
    answer = {"refused": type(refusal).__name__, "params": refusal.params} if refusal else {}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + kept)


def _limit(seconds: int, megabytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":  # Elsewhere the address space holds the system's own libraries, and the limit can't be set.
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))


if __name__ == "__main__":
    main()

"""Work in a process of its own, so that its memory is gone afterwards."""

import json
import os
import signal
import traceback

import interrupts
from processes import Failure


def apart(work):
    """Answers what `work()` answers, which has to be something that JSON knows."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _work(work, writing)
    os.close(writing)
    try:
        with os.fdopen(reading) as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    if status != 0:
        raise Failure("the files could not be made or compared; the reason is above")
    return json.loads(said)


def _work(work, writing):
    """The life of the child."""
    for number in interrupts.ENDING:
        signal.signal(number, signal.SIG_DFL)
    try:
        with os.fdopen(writing, "w") as pipe:
            json.dump(work(), pipe)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)

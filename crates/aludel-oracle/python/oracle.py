"""SQLAlchemy's side of the oracle: reads a line of JSON, does what it says, and answers with one."""

import json
import sys
import warnings

from sqlalchemy.exc import SAWarning

from databases import BACKENDS
from models import Base
from program import Run, Statements


def main():
    settings = json.loads(sys.stdin.readline())
    # Rows that a cascade has deleted already are no news.
    warnings.simplefilter("ignore", SAWarning)
    database = BACKENDS[settings["backend"]](settings)
    engine = database.engine()
    Base.metadata.create_all(engine)
    statements = Statements(engine)
    ours, theirs = database.plain("ours"), database.plain("theirs")
    answer({})
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "run":
            program = request["program"]
            outcome = Run(engine, statements, program).run(program["ops"])
            answer({**outcome, "rows": theirs.take()})
        elif request["do"] == "take":
            answer(ours.take())
        else:
            engine.dispose()
            ours.connection.close()
            theirs.connection.close()
            database.drop()
            answer({})
            return


def answer(value):
    print(json.dumps(value), flush=True)


main()

from __future__ import annotations

from dataclasses import asdict, replace

from unrot.hear.verdict_store import VerdictStore
from unrot.run.tidying_store import TidyingStore
from unrot.serve.batch_reader import BatchReader
from unrot.serve.traffic_store import TrafficStore
from unrot.store import engine
from unrot.store.kinds import MODEL
from unrot.store.names import Names, move_generation
from unrot.store.operations import Put
from unrot.store.sqlite import SqliteDatabase


class Reg:
    def __init__(self, db, names):
        self.db, self.names = db, names

    def add_model(self, model):
        n = len(self.names.models()) + 1
        body = {"title": model.title, "schema": asdict(model.schema), "names": [[model.name, n]]}
        self.db.commit(
            [
                Put(MODEL, model.name, {"name": model.name, "number": n, "body": body}),
                move_generation(),
            ]
        )
        return replace(model, number=n)

    def rename_model(self, name, to):
        key = self.names.key_of(name)
        d = self.db.get(MODEL, key)
        b = dict(d["body"])
        b["names"] = b["names"] + [[to, 99]]
        self.db.commit(
            [Put(MODEL, key, {"name": to, "number": d["number"], "body": b}), move_generation()]
        )


class Mini:
    def __init__(self, path):
        self.db = engine.SqlStore(SqliteDatabase(path))
        self.db.prepare()
        names = Names(self.db)
        batches = BatchReader(self.db)
        self.registry = Reg(self.db, names)
        self.verdicts = VerdictStore(self.db, names, batches.look_up)
        self.traffic = TrafficStore(self.db, names, batches, self.verdicts, lambda odd: [])
        self.tidying = TidyingStore(self.db, names, batches, None, lambda *a: [])

    def close(self):
        self.db.close()

"""How well an encoder or an index answers: runs, qrels, metrics with intervals, reports."""

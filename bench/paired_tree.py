"""One checkout, ready to be measured: run by that checkout's own Python, in its folder, as the program after `-c`.

It imports only the checkout's own `bench` and prints one line of JSON: the port of a server of the product, its
process, the database, the requests of W1, W3, W4 and W5, and the reply to W4. For each line on standard input it
creates a new contract and prints the request of W2. It ends at the end of input.
"""

import json
import sys
from pathlib import Path

from bench import dataset, workloads
from bench.servers import serving
from tonnage import embedded

# No workload compared here uses these, and older checkouts load them slowly.
dataset.MANY = dataset.FEW

with embedded.serve(Path(sys.argv[1])) as (_, url):
    data = dataset.build(url)
    with serving("product", url) as server:
        report = workloads.check(server, data).decode()
        wires = {
            "W1": workloads.contracts(data.few).wire(),
            "W3": workloads.partners(data).wire(),
            "W4": workloads.usage(data, data.small_partner).wire(),
            "W5": workloads.usage(data, data.large_partner).wire(),
        }
        facts = {"port": server.port, "pid": server.pid, "url": url, "wires": wires, "report": report}
        print(json.dumps(facts), flush=True)
        for _ in sys.stdin:
            print(json.dumps(workloads.creation(data.writers, dataset.fresh(url, data.writers)).wire()), flush=True)

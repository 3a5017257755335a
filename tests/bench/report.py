"""Turns what was measured into tables, and puts them into docs/benchmarks.md between two markers."""
import image_facts
import load
import instructions
import processes

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def met(value, goal):
    return f"{value:.2f}, goal {goal:g}: {'met' if value <= goal else '**missed**'}"


def mebibytes(size):
    return f"{size / 2 ** 20:.1f} MiB"


def instructions_part(sizes, measured, counted):
    rows = []
    for name, phases in measured.items():
        read, evaluate, answer = (phases[phase] for phase in instructions.PHASES)
        calls = [f"{counted[name][phase][0]:.0f}" for phase in instructions.PHASES]
        rows.append((name, f"{sizes[name]:,}", f"{read / 1000:.1f}", f"{(evaluate - read) / 1000:.1f}",
                     f"{(answer - evaluate) / 1000:.1f}", f"{answer / 1000:.1f}", " / ".join(calls),
                     f"{counted[name]['answer'][1]:,}"))
    return ("### In process: instructions and allocations per review\n\n"
            "Thousand instructions by callgrind (the slope between 40 and 140 reviews), built-in policy. The\n"
            "last stage holds everything else between a body and its answer: limits, metrics, log, JSON.\n"
            "Allocations (calls of operator new) add up from stage to stage. All reviews are allowed without a\n"
            "finding but `careless`, where each of four containers lacks everything: 10 warnings.\n\n" +
            table(("review", "bytes", "read", "judge", "answer", "all", "allocations: read / + judge / + answer",
                   "bytes allocated"), rows))


def servers_part(found, body_bytes):
    rows = []
    for client, results in found.items():
        for name, result in results.items():
            cpu = sorted(result["cpu"])
            p50 = f"{sorted(result['p50'])[len(result['p50']) // 2]:.2f} ms" if result["p50"] else ""
            rows.append((client, name, f"{cpu[len(cpu) // 2]:.1f} us", f"{cpu[0]:.1f} to {cpu[-1]:.1f}", p50))
    goals = [("hey", "plimsoll", "null", 1.5), ("wrk", "plimsoll", "null", 2.0), ("hey", "null", "nginx", 1.2),
             ("wrk", "null", "nginx", 1.2)]
    ratios = [(f"{above} / {below}", client, met(load.ratio(found[client], above, below), goal))
              for client, above, below, goal in goals]
    return (f"### Server CPU per request: {load.CONNECTIONS} keep-alive TLS connections, a Deployment of "
            f"{body_bytes:,} bytes\n\n"
            f"One server thread on core 0, the client on core 1; {load.ROUNDS} rounds, in which the servers take\n"
            "turns; medians. CPU is the time of all threads of the server by the kernel's account, so it includes\n"
            "TLS and the network stack. `null` is our server with a handler that does nothing.\n\n" +
            table(("client", "server", "CPU per request", "of the rounds", "p50"), rows) + "\n\n" +
            table(("ratio (median of the rounds')", "client", "value"), ratios))


def policies_part(costs, whole):
    rows = [(kind, f"{cost / 1000:.2f}", f"{cost / whole * 100:.2f} %") for kind, cost in costs.items()]
    return ("### One more policy\n\n"
            "Thousand instructions that each policy adds to the review of the Deployment, from the slope between\n"
            f"{instructions.POLICY_COUNTS[0]} and {instructions.POLICY_COUNTS[-1]} policies; in percent of the "
            "whole review in process with the built-in policy.\n\n" +
            table(("policy", "instructions", "of a review"), rows))


def process_part(calls, start, idle, loaded):
    rows = [(f"system calls per request, one connection, {client}", f"{sum(counts.values()):.2f}", "4",
             ", ".join(f"{name} {count:.2f}" for name, count in counts.items())) for client, counts in calls.items()]
    rows += [("resident memory, idle", mebibytes(idle), "12 MiB", ""),
             (f"resident memory, {processes.IDLE_CONNECTIONS:,} idle TLS connections", mebibytes(loaded), "100 MiB",
              f"{(loaded - idle) / processes.IDLE_CONNECTIONS / 1024:.1f} KiB each; each has served one review"),
             ("time from start to listening", f"{start * 1000:.1f} ms", "10 ms",
              f"median of {processes.STARTS} starts, fork and exec included")]
    return "### The process\n\n" + table(("what", "measured", "aim", ""), rows)


def images_part(found):
    cold, warm = found["requests"]
    idle, full = found["memory"]
    rows = []
    for client, results in found["cpu"].items():
        ratio = load.ratio(results, "with image rules", "without")
        rows.append((f"CPU per review with six image rules and known facts / without, {client}", f"{ratio:.2f}", "1.15"))
    rows += [(f"requests to the registry for {image_facts.REVIEWS:,} reviews of 10 images, nothing known", cold, "20"),
             ("the same again, all known", warm, "0"),
             (f"resident memory with {image_facts.MANY_IMAGES:,} images known (idle: {mebibytes(idle)})", mebibytes(full), "100 MiB")]
    (ours_time, ours_memory), (peer_time, peer_memory) = (found["layers"][name] for name in ("plimsoll image --layers", "skopeo copy"))
    rows += [("plimsoll image --layers / skopeo copy of the same 200 MiB, wall time", f"{ours_time / peer_time:.2f}", ""),
             ("the same, peak memory", f"{ours_memory / peer_memory:.2f} ({mebibytes(ours_memory)} / {mebibytes(peer_memory)})", "")]
    return ("### Rules about images\n\n"
            "The Deployment of 12 KB with four distinct images; image-exists, image-size, image-layers, image-user,\n"
            "image-secrets and image-age besides five rules about the object. The registry is on loopback.\n\n" +
            table(("what", "measured", "aim"), rows))


def write_into(path, machine, parts):
    text = path.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    path.write_text(f"{before}{BEGIN}\n{machine}\n\n" + "\n\n".join(parts) + f"\n{END}{after}")

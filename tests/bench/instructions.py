"""Costs that no noise touches: instructions by callgrind's slope, and heap allocations, of review_bench."""
import concurrent.futures
import os
import re
import subprocess

FEW, MANY = 40, 140
# Otherwise every byte of a long copy counts as an instruction.
TUNABLES = ("glibc.cpu.x86_rep_movsb_threshold=1000000000:"
            "glibc.cpu.x86_rep_stosb_threshold=1000000000")
PHASES = ("read", "evaluate", "answer")
POLICY_COUNTS = (1, 11, 51)


def collected(program, phase, count, fixture, policies=()):
    """Instructions of one run of review_bench as a whole."""
    result = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, phase, str(count),
         fixture, *policies],
        env={**os.environ, "GLIBC_TUNABLES": TUNABLES}, capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", result.stderr)
    if result.returncode or not found:
        raise SystemExit(f"bench: valgrind review_bench {phase} {fixture} failed:\n{result.stderr[-2000:]}")
    return int(found.group(1))


def slope(program, phase, fixture, policies=()):
    """Instructions per review."""
    few = collected(program, phase, FEW, fixture, policies)
    return (collected(program, phase, MANY, fixture, policies) - few) / (MANY - FEW)


def in_parallel(function, rows):
    """function(*row) for each row, in order, on every core."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda row: function(*row), rows))


def per_phase(program, fixtures):
    """Name -> phase -> instructions; phases contain those before them."""
    rows = [(program, phase, path) for path in fixtures.values() for phase in PHASES]
    values = iter(in_parallel(slope, rows))
    return {name: {phase: next(values) for phase in PHASES} for name in fixtures}


def allocations(program, fixtures):
    """Name -> phase -> (calls, bytes) of operator new per review in the steady state."""
    found = {}
    for name, path in fixtures.items():
        found[name] = {}
        for phase in PHASES:
            result = subprocess.run([program, phase, "0", path], capture_output=True, text=True, check=True)
            calls, size = result.stdout.split()
            found[name][phase] = (float(calls), int(size))
    return found


RULES = {
    "three rules, applies": "{rules: {image-tag: {action: warn}, readiness-probe: {action: warn}, "
                            "resources: {action: warn}}}",
    "all default rules, applies": "{rules: {image-reference: {action: warn}, image-tag: {action: warn}, "
                                  "liveness-probe: {action: warn}, readiness-probe: {action: warn}, "
                                  "resources: {action: warn}, secret-env: {action: warn}, "
                                  "image-environment: {action: audit}, image-pull-policy: {action: audit}, "
                                  "probe-quality: {action: audit}}}",
    "three rules, for other namespaces": "{match: {namespaces: [\"other-*\"]}, rules: {image-tag: {action: warn}, "
                                         "readiness-probe: {action: warn}, resources: {action: warn}}}",
}


def policy_file(folder, kind, count):
    """Writes `count` policies of one kind into a file and returns its path."""
    path = folder / f"policies-{list(RULES).index(kind)}-{count}.yaml"
    path.write_text("".join(
        f"---\napiVersion: plimsoll.dev/v1alpha1\nkind: HygienePolicy\nmetadata: {{name: p{number}}}\n"
        f"spec: {RULES[kind]}\n" for number in range(count)))
    return str(path)


def per_policy(program, folder, fixture):
    """Kind -> instructions that one more policy costs a review, from the first to the last count."""
    rows = [(program, "answer", fixture, (policy_file(folder, kind, count),))
            for kind in RULES for count in POLICY_COUNTS]
    values = iter(in_parallel(slope, rows))
    costs = {}
    for kind in RULES:
        first, *_, last = [next(values) for _ in POLICY_COUNTS]
        costs[kind] = (last - first) / (POLICY_COUNTS[-1] - POLICY_COUNTS[0])
    return costs

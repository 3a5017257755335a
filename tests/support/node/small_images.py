"""Images for tests, of one static program each that waits or answers HTTP: built here in a second, without network."""
import pathlib
import subprocess

import images
from layout import Layout

SOURCE = r"""
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void end(int number) { (void)number; _exit(0); }

/* Answers 200 to whatever comes to $PORT; without it, or called as /pause, it waits. Ends at once when told. */
int main(int argc, char **argv) {
  signal(SIGTERM, end);
  signal(SIGINT, end);
  signal(SIGPIPE, SIG_IGN);
  const char *port = getenv("PORT");
  if (argc > 1 && strcmp(argv[1], "true") == 0) return 0;
  if (port == NULL) for (;;) pause();
  int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 64)) return 1;
  for (;;) {
    int client = accept(listener, NULL, NULL);
    char request[4096];
    if (client < 0) continue;
    if (read(client, request, sizeof request) > 0) {
      const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
      if (write(client, answer, sizeof answer - 1) < 0) continue;
    }
    close(client);
  }
}
"""


def program(directory):
    source, made = pathlib.Path(directory, "program.c"), pathlib.Path(directory, "program")
    if not made.exists():
        source.write_text(SOURCE)
        subprocess.run(["clang-19", "-static", "-Os", "-s", "-o", made, source], check=True)
    return made.read_bytes()


def archive(directory, name, layers=(), created=None, **config):
    """A docker-archive of an image with the program and further layers, each an instruction and its bytes."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    layout = Layout(directory / "layout")
    steps = [images.Step("COPY program /app", {"app": program(directory)})]
    steps += [images.Step(instruction, {f"data-{number}": data}) for number, (instruction, data) in enumerate(layers)]
    steps.append(images.Step('USER "65532:65532"'))
    made = images.image(layout, steps, config={"Entrypoint": ["/app"], "User": "65532:65532", **config}, created=created or images.days_ago(1))
    label = name.replace("/", "-").replace(":", "-")
    layout.name(label, made)
    path = directory / f"{label}.tar"
    images.write_docker_archive(layout, label, path, name)
    return path

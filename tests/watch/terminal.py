# A terminal and its shell for tests: runs a command as the foreground job of a session with a pseudo terminal of its own.
# Usage: terminal.py STEPS COMMAND ARGS...   STEPS is JSON: ["expect", TEXT], ["send", TEXT], ["stopped"], ["fg"], ["sleep", SECONDS].
# Prints JSON: {"output", "code" (of the job; -N: by signal N), "steps" (done), "states" (of the job's processes at each "stopped")}.
import fcntl, json, os, pty, select, signal, struct, sys, termios, time

LIMIT = 60


def shell(command, control):
    """Runs the job in a group of its own in the foreground; tells when it stops, and continues it when told to."""
    for number in (signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpgrp())
        for number in (signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], command)
    os.write(control, f"job {job}\n".encode())
    while True:
        _, status = os.waitpid(job, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            os.tcsetpgrp(0, os.getpgrp())
            os.write(control, b"stopped\n")
            os.read(control, 1)
            os.tcsetpgrp(0, job)
            os.killpg(job, signal.SIGCONT)
            continue
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        os.write(control, f"code {code}\n".encode())
        os._exit(0)


def group_states(job):
    states = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = open(f"/proc/{pid}/stat").read()
        except OSError:
            continue
        fields = text[text.rindex(")") + 2 :].split()
        if int(fields[2]) == job:
            states[pid] = fields[0]
    return states


class Session:
    def __init__(self, command):
        ours, theirs = __import__("socket").socketpair()
        pid, self.terminal = pty.fork()
        if pid == 0:
            ours.close()
            shell(command, theirs.fileno())
        theirs.close()
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.control, self.output, self.told = ours, "", ""

    def pump(self, until, what):
        end = time.time() + LIMIT
        while not until():
            if time.time() > end:
                raise TimeoutError(f"{what}; output so far: {self.output[-800:]!r}, told {self.told!r}")
            ready, _, _ = select.select([self.terminal, self.control], [], [], 0.2)
            for one in ready:
                try:
                    text = os.read(one if isinstance(one, int) else one.fileno(), 65536).decode(errors="replace")
                except OSError:
                    text = ""
                if one == self.terminal:
                    self.output += text
                else:
                    self.told += text


def main():
    steps, command = json.loads(sys.argv[1]), sys.argv[2:]
    session = Session(command)
    seen, stops, states, done, problem = 0, 0, [], 0, None
    try:
        for step, *values in steps:
            if step == "expect":
                session.pump(lambda: values[0] in session.output[seen:], f"no {values[0]!r}")
                seen = session.output.index(values[0], seen) + len(values[0])
            elif step == "send":
                os.write(session.terminal, values[0].encode())
            elif step == "sleep":
                wait = time.time() + values[0]
                session.pump(lambda: time.time() > wait, "sleep")
            elif step == "stopped":
                stops += 1
                session.pump(lambda: session.told.count("stopped") >= stops, "the job did not stop")
                job = int(session.told.split()[1])
                time.sleep(0.5)
                states.append(sorted(group_states(job).values()))
            elif step == "fg":
                session.control.send(b"g")
            done += 1
        session.pump(lambda: "code" in session.told, "the job did not end")
    except TimeoutError as error:
        problem = str(error)
    job = int(session.told.split()[1]) if session.told.startswith("job ") else 0
    left = group_states(job) if job else {}
    if problem and job:
        os.killpg(job, signal.SIGKILL)
    code = int(session.told.split("code ")[1]) if "code " in session.told else None
    print(json.dumps({"output": session.output, "code": code, "steps": done, "states": states, "left": left, "problem": problem}))


main()

"""Stands in for systemd's manager and its journal, where none may be asked.

The manager answers on its own socket whatever a phase asks of it, keeps the transient units that it
is told to start and the CPUs that units are allowed, and ends each job at once. The journal takes what
it is sent.
"""

import fnmatch
import os
import socket
import struct
import threading

MANAGER = "/org/freedesktop/systemd1"
CALL, REPLY, ERROR, SIGNAL = 1, 2, 3, 4


def padded(data, boundary):
    return data + b"\0" * (-len(data) % boundary)


def text(value):
    return struct.pack("<I", len(value)) + value.encode() + b"\0"


def signature(value):
    return bytes([len(value)]) + value.encode() + b"\0"


def values(kinds, *arguments):
    """A body of strings and paths, numbers and booleans."""
    body = b""
    for kind, argument in zip(kinds, arguments):
        body = padded(body, 4)
        body += struct.pack("<I", argument) if kind in "ub" else text(argument)
    return body


def variant(kind, value):
    body = padded(signature(kind), 4)
    if kind == "t":
        return padded(body, 8) + struct.pack("<Q", value)
    if kind in ("ay", "as"):
        content = value if kind == "ay" else values("s" * len(value), *value)
        return body + struct.pack("<I", len(content)) + content
    return body + values(kind, value)


def message(kind, serial, fields, body=b"", types=""):
    """`fields` are tuples of a header field's number, its type and its value."""
    if types:
        fields = [*fields, (8, "g", types)]
    header = b""
    for number, of, value in fields:
        header = padded(header, 8) + bytes([number]) + signature(of)
        if of == "g":
            header += signature(value)
        else:
            header = padded(header, 4)
            header += struct.pack("<I", value) if of == "u" else text(value)
    front = struct.pack("<4sIII", bytes([ord("l"), kind, 1, 1]), len(body), serial, len(header))
    return padded(front + header, 8) + body


class Call:
    """A method call as far as it is needed: who is asked for what, and the first texts of the body."""

    def __init__(self, data):
        self.serial, length = struct.unpack_from("<II", data, 8)
        self.path = self.member = ""
        at, end = 16, 16 + length
        while at < end:
            at += -at % 8
            number, of = data[at], chr(data[at + 2])
            at += 4
            if of == "g":
                at += data[at] + 2
            elif of == "u":
                at += -at % 4 + 4
            else:
                at += -at % 4
                size = struct.unpack_from("<I", data, at)[0]
                found = data[at + 4:at + 4 + size].decode()
                at += size + 5
                if number == 1:
                    self.path = found
                elif number == 3:
                    self.member = found
        self.body = data[end + -end % 8:]

    def texts(self, count):
        found, at = [], 0
        for _ in range(count):
            at += -at % 4
            size = struct.unpack_from("<I", self.body, at)[0]
            found.append(self.body[at + 4:at + 4 + size].decode())
            at += size + 5
        return found


class Manager:
    """`calls` counts what was asked, and `unknown` has the methods of those that had no answer; `units` are
    those that were started and not stopped, `allowed` has the masks of CPUs of others. `confine` is called
    with a unit and such a mask."""

    def __init__(self, confine, path="/run/systemd/private"):
        self.calls, self.units, self.objects, self.allowed = 0, set(), {}, {}
        self.unknown = set()
        self.confine = confine
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=Session(self, client).serve, daemon=True).start()


class Session:
    """One connection to the manager."""

    def __init__(self, manager, client):
        self.manager, self.client = manager, client
        self.serial = self.jobs = 0
        self.is_subscribed = False

    def serve(self):
        with self.client:
            try:
                self.answer_all()
            except ConnectionError:
                pass  # Who has ended does not wait for the answer to its last call.

    def answer_all(self):
        waiting = b""
        while b"BEGIN\r\n" not in waiting:
            more = self.client.recv(4096)
            if not more:
                return
            waiting += more
        # The answer of the mechanism EXTERNAL in two steps, and that descriptors may be sent.
        self.client.sendall(b"DATA\r\nOK 00000000000000000000000000000001\r\nAGREE_UNIX_FD\r\n")
        waiting = waiting.partition(b"BEGIN\r\n")[2]
        while True:
            while len(waiting) >= 16:
                body, _, fields = struct.unpack_from("<III", waiting, 4)
                size = 16 + fields + -fields % 8 + body
                if len(waiting) < size:
                    break
                if waiting[1] == CALL:
                    self.client.sendall(self.answer(Call(waiting[:size])))
                waiting = waiting[size:]
            more = self.client.recv(65536)
            if not more:
                return
            waiting += more

    def answer(self, call):
        self.manager.calls += 1
        method = getattr(self, "on_" + call.member, None)
        if not method:
            self.manager.unknown.add(call.member)
            return self.error(call, "org.freedesktop.DBus.Error.UnknownMethod")
        return method(call)

    def message(self, kind, *arguments):
        self.serial += 1
        return message(kind, self.serial, *arguments)

    def reply(self, call, types="", *arguments):
        body = values(types, *arguments)
        return self.message(REPLY, [(5, "u", call.serial)], body, types)

    def error(self, call, name):
        fields = [(4, "s", name), (5, "u", call.serial)]
        return self.message(ERROR, fields, values("s", "there is none"), "s")

    def job(self, call, unit):
        """The reply with a job, and to who asked for it the signal that it is over."""
        self.jobs += 1
        path = f"{MANAGER}/job/{self.jobs}"
        reply = self.reply(call, "o", path)
        if not self.is_subscribed:
            return reply
        removed = [
            (1, "o", MANAGER), (2, "s", "org.freedesktop.systemd1.Manager"), (3, "s", "JobRemoved")]
        return reply + self.message(
            SIGNAL, removed, values("uoss", self.jobs, path, unit, "done"), "uoss")

    def on_Reload(self, call):
        return self.reply(call)

    def on_SetUnitProperties(self, call):
        """Only of `AllowedCPUs=`: a unit, a flag, and one property with its bytes."""
        unit = call.texts(1)[0]
        at = call.body.index(b"AllowedCPUs") + len("AllowedCPUs\0") + len(signature("ay"))
        at += -at % 4
        size = struct.unpack_from("<I", call.body, at)[0]
        self.manager.allowed[unit] = call.body[at + 4:at + 4 + size]
        self.manager.confine(unit, self.manager.allowed[unit])
        return self.reply(call)

    def on_Subscribe(self, call):
        self.is_subscribed = True
        return self.reply(call)

    def object(self, unit):
        path = f"{MANAGER}/unit/" + "".join(c if c.isalnum() else f"_{ord(c):02x}" for c in unit)
        self.manager.objects[path] = unit
        return path

    def on_LoadUnit(self, call):
        return self.reply(call, "o", self.object(call.texts(1)[0]))

    on_GetUnit = on_LoadUnit

    def on_ListUnitsByPatterns(self, call):
        """Those that were started; the states come first, of which there are none."""
        # Two arrays of strings, each behind its length in bytes: no states, and one pattern.
        size = struct.unpack_from("<I", call.body, 8)[0]
        pattern = call.body[12:12 + size].decode()
        content = b""
        for unit in sorted(u for u in self.manager.units if fnmatch.fnmatchcase(u, pattern)):
            row = (unit, unit, "loaded", "active", "running", "", self.object(unit), 0, "", "/")
            content = padded(content, 8) + values("ssssssouso", *row)
        body = padded(struct.pack("<I", len(content)), 8) + content
        return self.message(REPLY, [(5, "u", call.serial)], body, "a(ssssssouso)")

    def on_StartTransientUnit(self, call):
        unit = call.texts(1)[0]
        if unit in self.manager.units:
            return self.error(call, "org.freedesktop.systemd1.UnitExists")
        self.manager.units.add(unit)
        return self.job(call, unit)

    def on_StopUnit(self, call):
        unit = call.texts(1)[0]
        if unit not in self.manager.units:
            return self.error(call, "org.freedesktop.systemd1.NoSuchUnit")
        self.manager.units.remove(unit)
        return self.job(call, unit)

    def on_Get(self, call):
        unit, name = self.manager.objects.get(call.path, ""), call.texts(2)[1]
        is_ours = unit.startswith("berth-")
        kind, value = "s", unit
        if name == "AllowedCPUs":
            kind, value = "ay", self.manager.allowed.get(unit, b"")
        elif name == "ActiveState":
            value = "active" if not is_ours or unit in self.manager.units else "inactive"
        elif name == "LoadState":
            value = "loaded" if not is_ours or unit in self.manager.units else "not-found"
        elif name == "BindsTo":
            kind, value = "as", ["some.scope"]
        elif name == "NextElapseUSecMonotonic":
            kind, value = "t", 1 << 60
        return self.message(REPLY, [(5, "u", call.serial)], variant(kind, value), "v")


def journal(path="/run/systemd/journal/socket"):
    """Returns a list into which the sentences go that tell of errors and warnings."""
    complaints = []
    os.makedirs(os.path.dirname(path), exist_ok=True)
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(path)

    def drain():
        while True:
            entry = receiver.recv(1 << 16)
            # Of each field: name, newline, length in eight bytes, value, newline.
            if b"PRIORITY\n\1\0\0\0\0\0\0\0" in entry and entry.partition(b"PRIORITY")[2][9:10] in b"34":
                size = struct.unpack_from("<Q", entry, len("MESSAGE\n"))[0]
                complaints.append(entry[len("MESSAGE\n") + 8:][:size].decode())

    threading.Thread(target=drain, daemon=True).start()
    return complaints

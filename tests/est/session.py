"""session.py LIBRARY ADDRESS FUNCTION [ARGUMENT...]: calls the C library and prints what it said as JSON."""

import ctypes
import json
import sys


class Session:
    def __init__(self, library, address):
        self.library = ctypes.CDLL(library)
        self.library.wvds_status_name.restype = ctypes.c_char_p
        self.handle = ctypes.c_void_p()
        self.check(self.library.wvds_connect(ctypes.byref(self.handle), address.encode(), ctypes.c_uint32(10000)))

    def check(self, status):
        if status != 0:
            sys.exit(self.library.wvds_status_name(status).decode())

    def call(self, function, *arguments):
        self.check(getattr(self.library, function)(self.handle, *arguments))

    def renew(self, name, flags):
        self.call("wvds_est_renew", name.encode(), int(flags))

    def number_of_keys(self):
        entries = ctypes.create_string_buffer(64 * 1024)
        number, more = ctypes.c_size_t(), ctypes.c_int()
        self.call("wvds_key_list", entries, ctypes.byref(number), ctypes.c_size_t(64), ctypes.byref(more), 0)
        return number.value

    def public_key(self, key):
        raw, length = ctypes.create_string_buffer(4096), ctypes.c_size_t()
        self.call("wvds_key_public", raw, ctypes.byref(length), ctypes.c_size_t(len(raw)), int(key), 0)
        return raw.raw[: length.value].hex()

    def certificate(self, name, which):
        text, length, key = ctypes.create_string_buffer(1 << 20), ctypes.c_size_t(), ctypes.c_uint32()
        self.call("wvds_est_certificate", text, ctypes.byref(length), ctypes.c_size_t(len(text)), ctypes.byref(key),
                  name.encode(), int(which))  # fmt: skip
        return text.value.decode(), key.value


def main():
    library, address, function, *arguments = sys.argv[1:]
    session = Session(library, address)
    print(json.dumps(getattr(session, function)(*arguments)))
    session.library.wvds_disconnect(session.handle)


main()

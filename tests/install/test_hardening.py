"""Reads how the libraries and programs were linked, and what their code checks.

usage: test_hardening.py CHECKS FILE...

CHECKS are those that the compiler has, separated by commas: protector, fortify, branches.
"""
import pathlib
import struct
import sys
import unittest

CHECKS, FILES = set(), []

# Values of ELF, from its specification and those of its extensions.
SHARED = 3
LOAD, DYNAMIC, INTERPRETER, STACK, RELRO = 1, 2, 3, 0x6474e551, 0x6474e552
MAY_EXECUTE, MAY_WRITE = 1, 2
DT_STRTAB, DT_SYMTAB, DT_TEXTREL, DT_BIND_NOW = 5, 6, 22, 24
DT_PLTGOT, DT_FLAGS, DT_FLAGS_1 = 3, 30, 0x6ffffffb
FLAG_TEXTREL, FLAG_BIND_NOW, FLAG_1_NOW, FLAG_1_PIE = 4, 8, 1, 0x08000000
FUNCTION = 2
X86_64, AARCH64 = 62, 183
# First instructions of a function that may be called through a pointer: endbr64 of x86;
# bti c and paciasp of ARM.
LANDINGS = {X86_64: {"f30f1efa"}, AARCH64: {"5f2403d5", "3f2303d5"}}
SYMBOL = struct.Struct("<IBBHQQ")


class Elf:
    """Program headers, dynamic section and dynamic symbols of a 64-bit little-endian file."""

    def __init__(self, path):
        self.name = path.name
        self.data = path.read_bytes()
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path}: not a 64-bit little-endian ELF file")
        self.kind, self.machine = struct.unpack_from("<HH", self.data, 16)
        offset, = struct.unpack_from("<Q", self.data, 32)
        size, count = struct.unpack_from("<HH", self.data, 54)
        # Type, flags, offset, address, physical address, size in the file and in memory.
        self.segments = [struct.unpack_from("<IIQQQQQ", self.data, offset + i * size)
                         for i in range(count)]
        self.dynamic = dict(self.entries())

    def segment(self, kind):
        return next((found for found in self.segments if found[0] == kind), None)

    def entries(self):
        _, _, offset, _, _, size, _ = self.segment(DYNAMIC)
        return struct.iter_unpack("<QQ", self.data[offset:offset + size])

    def at(self, address):
        """The offset in the file of what is loaded at an address."""
        return next(offset + address - start
                    for kind, _, offset, start, _, size, _ in self.segments
                    if kind == LOAD and start <= address < start + size)

    def symbols(self):
        """Name, kind and address of each dynamic symbol; address 0 if another file has it.
        The table of names follows that of symbols."""
        first, names = (self.at(self.dynamic[tag]) for tag in (DT_SYMTAB, DT_STRTAB))
        for offset in range(first, names - SYMBOL.size + 1, SYMBOL.size):
            name, info, _, section, address, _ = SYMBOL.unpack_from(self.data, offset)
            end = self.data.index(b"\0", names + name)
            text = self.data[names + name:end].decode()
            yield text, info & 15, address if section else 0

    def imports(self):
        return {name for name, _, address in self.symbols() if address == 0}


class Hardening(unittest.TestCase):
    def each(self):
        for path in FILES:
            with self.subTest(file=path.name):
                yield Elf(path)

    def test_each_name_is_bound_before_the_program_starts(self):
        for elf in self.each():
            now = (elf.dynamic.get(DT_FLAGS, 0) & FLAG_BIND_NOW or
                   elf.dynamic.get(DT_FLAGS_1, 0) & FLAG_1_NOW or DT_BIND_NOW in elf.dynamic)
            self.assertTrue(now)

    def test_what_the_loader_wrote_is_then_read_only(self):
        for elf in self.each():
            relro = elf.segment(RELRO)
            self.assertIsNotNone(relro)
            _, _, _, start, _, _, size = relro
            self.assertTrue(start <= elf.segment(DYNAMIC)[3] < start + size)
            # Full: with the table of functions of other files.
            self.assertTrue(start <= elf.dynamic[DT_PLTGOT] < start + size)

    def test_programs_can_be_loaded_at_any_address(self):
        for elf in self.each():
            self.assertEqual(elf.kind, SHARED)
            if elf.segment(INTERPRETER):
                self.assertTrue(elf.dynamic[DT_FLAGS_1] & FLAG_1_PIE)

    def test_the_loader_does_not_write_to_code(self):
        for elf in self.each():
            self.assertNotIn(DT_TEXTREL, elf.dynamic)
            self.assertFalse(elf.dynamic.get(DT_FLAGS, 0) & FLAG_TEXTREL)

    def test_no_memory_is_both_written_and_executed(self):
        for elf in self.each():
            self.assertIsNotNone(elf.segment(STACK))
            for kind, flags, *_ in elf.segments:
                if kind in (LOAD, STACK):
                    self.assertNotEqual(flags & (MAY_EXECUTE | MAY_WRITE),
                                        MAY_EXECUTE | MAY_WRITE)
            self.assertFalse(elf.segment(STACK)[1] & MAY_EXECUTE)

    def test_functions_check_their_stack(self):
        if "protector" not in CHECKS:
            self.skipTest("the compiler has no stack protector")
        for elf in self.each():
            self.assertIn("__stack_chk_fail", elf.imports())

    def test_calls_of_the_c_library_check_their_buffers(self):
        if "fortify" not in CHECKS:
            self.skipTest("this build is without optimisation or fortified by its user")
        for elf in self.each():
            self.assertIn("__snprintf_chk", elf.imports())
            self.assertNotIn("sprintf", elf.imports())

    def test_public_functions_begin_with_a_landing_place(self):
        if "branches" not in CHECKS:
            self.skipTest("the compiler does not check the targets of jumps")
        for elf in self.each():
            for name, kind, address in elf.symbols():
                if kind == FUNCTION and address:
                    first = elf.data[elf.at(address):elf.at(address) + 4].hex()
                    self.assertIn(first, LANDINGS[elf.machine], name)


if __name__ == "__main__":
    CHECKS = set(sys.argv[1].split(","))
    FILES = [pathlib.Path(name) for name in sys.argv[2:]]
    unittest.main(argv=sys.argv[:1], verbosity=2)

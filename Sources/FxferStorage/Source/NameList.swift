import Glibc

/// The names in a folder, each with the kind that the folder itself tells, in one piece of memory.
///
/// Made for a million names: one costs its own bytes, two more and an offset, and no allocation.
struct NameList {
    /// One name of the list; its bytes are those of the list, not copied.
    struct Name {
        let bytes: ArraySlice<UInt8>
        /// Nil where the file system does not tell.
        let kind: FileKind?
    }

    /// For each name its d_type, its bytes and a zero.
    private var arena: [UInt8] = []
    /// Where in ``arena`` each name's d_type is.
    private var starts: [Int] = []

    var count: Int { self.starts.count }

    subscript(index: Int) -> Name {
        let start = self.starts[index]
        // The zero of the last name ends the arena: there always is one.
        let bytes = self.arena[(start + 1)...].prefix { $0 != 0 }
        return Name(bytes: bytes, kind: FileKind(entryType: self.arena[start]))
    }

    /// Adds a name, which holds no zero, as readdir(3) gave it.
    mutating func append(_ name: UnsafeRawBufferPointer, type: UInt8) {
        self.starts.append(self.arena.count)
        self.arena.append(type)
        self.arena.append(contentsOf: name)
        self.arena.append(0)
    }

    /// Sorts the names by their bytes.
    mutating func sort() {
        var starts: [Int] = []
        swap(&starts, &self.starts)
        self.arena.withUnsafeBytes { arena in
            // strcmp(3) compares bytes as unsigned, whatever the locale, and each name ends with a zero.
            guard let names = arena.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            starts.sort { strcmp(names + $0 + 1, names + $1 + 1) < 0 }
        }
        self.starts = starts
    }
}

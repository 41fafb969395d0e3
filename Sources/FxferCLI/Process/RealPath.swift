import Glibc

/// A path without symbolic links: realpath(3).
enum RealPath {
    /// Where a path leads, or will lead when what is missing of it is made.
    static func resolveBeginning(_ path: [UInt8]) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        var beginning = path
        var rest: [UInt8] = []
        while true {
            if let real = self.resolve(beginning.isEmpty ? [UInt8(ascii: ".")] : beginning) {
                return rest.isEmpty ? real : real + [slash] + rest
            }
            while beginning.last == slash { beginning.removeLast() }
            let name = Array(beginning[(beginning.lastIndex(of: slash).map { $0 + 1 } ?? 0)...])
            guard !name.isEmpty else { return path }
            beginning.removeLast(name.count)
            rest = rest.isEmpty ? name : name + [slash] + rest
        }
    }

    /// The path that leads there now; nil where it leads to nothing that can be seen.
    static func resolve(_ path: [UInt8]) -> [UInt8]? {
        guard let real = realpath(path.map(CChar.init(bitPattern:)) + [0], nil) else { return nil }
        defer { free(real) }
        return UnsafeBufferPointer(start: real, count: strlen(real)).map(UInt8.init(bitPattern:))
    }
}

import Glibc

/// A path without symbolic links: realpath(3).
enum RealPath {
    /// The path that leads there now; nil where it leads to nothing that can be seen.
    static func resolve(_ path: [UInt8]) -> [UInt8]? {
        guard let real = realpath(path.map(CChar.init(bitPattern:)) + [0], nil) else { return nil }
        defer { free(real) }
        return UnsafeBufferPointer(start: real, count: strlen(real)).map(UInt8.init(bitPattern:))
    }
}

import FxferProtocol

/// The places that a sandboxed process still reaches, and all below them.
struct SandboxRules {
    /// The paths of folders in which files are stored.
    var storing: [[UInt8]] = []
    /// The paths of folders in which files are read.
    var reading: [[UInt8]] = []
    /// The TCP ports, of any machine, to which connections may be made.
    var connecting: [UInt16] = []

    /// Lets a file be read again later, also after another one took its name: what is allowed is its folder, and, where
    /// it is a symbolic link, that of the file to which it leads now.
    mutating func allowReading(file: [UInt8]) {
        self.reading.append(Self.folder(of: file))
        guard let target = RealPath.resolve(file) else { return }
        self.reading.append(Self.folder(of: target))
    }

    /// The path without its last component.
    private static func folder(of path: [UInt8]) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        guard let end = path.lastIndex(of: slash) else { return [UInt8(ascii: ".")] }
        return end == 0 ? [slash] : Array(path[..<end])
    }
}

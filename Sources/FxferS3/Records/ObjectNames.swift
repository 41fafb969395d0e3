import FxferProtocol
import FxferStorage

/// Under which keys everything is. See <doc:ObjectLayout>.
struct ObjectNames: Sendable {
    /// The longest key in bytes.
    static let longestKey = 1024

    /// What all keys begin with.
    let prefix: [UInt8]

    /// What all keys of the store's own begin with; no path of a file does.
    var own: [UInt8] { self.prefix + Array(".fxfer/".utf8) }
    var ledger: [UInt8] { self.own + Array("ledger/".utf8) }
    var uploads: [UInt8] { self.own + Array("uploads/".utf8) }
    var claims: [UInt8] { self.own + Array("claims/".utf8) }
    var tails: [UInt8] { self.own + Array("tails/".utf8) }
    var probes: [UInt8] { self.own + Array("probes/".utf8) }
    /// Files and folders whose path cannot be a key.
    var hidden: [UInt8] { self.own + Array("hidden/".utf8) }
    /// The paths of these.
    var hiddenPaths: [UInt8] { self.own + Array("paths/".utf8) }

    /// The key of a file, or, with a slash behind its path, of a folder.
    func key(of path: [UInt8]) -> [UInt8] {
        self.isKey(path) ? self.prefix + path : self.hidden + Self.hash(path)
    }

    /// Whether the path itself can be a key.
    func isKey(_ path: [UInt8]) -> Bool {
        guard self.prefix.count + path.count <= Self.longestKey else { return false }
        guard path.contains(where: { $0 >= 0x80 }) else { return true }
        guard let text = String(validating: path, as: UTF8.self) else { return false }
        // XML, in which stores list keys, has neither.
        return !text.unicodeScalars.contains { $0 == "\u{FFFE}" || $0 == "\u{FFFF}" }
    }

    /// The file or folder that has that key; nil for a key of the store's own, or of another one's with a longer prefix.
    func path(of key: [UInt8]) -> [UInt8]? {
        guard key.starts(with: self.prefix) else { return nil }
        let path = Array(key.dropFirst(self.prefix.count))
        return Self.isReserved(path) ? nil : path
    }

    /// Whether it belongs to a store, this one or one that has a longer prefix: any component is `.fxfer`.
    static func isReserved(_ path: [UInt8]) -> Bool {
        path.split(separator: UInt8(ascii: "/")).contains(RelativePath.reservedFirstComponent[...])
    }

    func hiddenPath(_ path: [UInt8]) -> [UInt8] { self.hiddenPaths + Self.hash(path) }

    func claim(_ path: RelativePath) -> [UInt8] { self.claims + Self.hash(path.bytes) }

    func upload(_ path: RelativePath) -> [UInt8] { self.uploads + Self.hash(path.bytes) }

    static func hash(_ path: [UInt8]) -> [UInt8] {
        Array(SHA256.digest(of: path[...]).hex.utf8)
    }
}

import FxferProtocol
import FxferStorage
import Glibc

/// The keys of the servers that this user has been connected to: a text file with a line `HOST:PORT SHA256:…` for each.
///
/// A host is named as `Endpoint` prints it, an IPv6 address in brackets; small and capital letters are the same. Of
/// several lines for one host the first counts. After a fingerprint, and on a line of its own, `#` begins a comment. Any
/// number of processes may use a file at once. Every call waits for the disk.
public struct KnownHosts: Sendable {
    package let path: [UInt8]

    static let rules = FileRules(title: "known hosts file", maxSize: 16 << 20)

    /// The file's path, escaped.
    var name: String { EscapedText.escape(self.path) }

    /// Names the file, which need not exist; symbolic links are followed.
    public init(path: [UInt8]) {
        self.path = path
    }

    /// What is known of `host`, and on which line; nil where nothing is, or there is no file.
    ///
    /// - Throws: `.noInput` where the line for the host cannot be read (never nil then) or the file is no text file of
    ///   at most 16 MiB, `.notPermitted`, `.io`.
    public func fingerprint(
        of host: String
    ) throws(FxferError) -> (fingerprint: KeyFingerprint, line: Int)? {
        let text: [UInt8]
        do {
            text = try Self.rules.read(path: self.path)
        } catch {
            guard let cause = error.cause as? Errno, [ENOENT, ENOTDIR].contains(cause.number) else { throw error }
            return nil
        }
        return try self.fingerprint(of: host, in: text)
    }

    /// Writes down the key of `host`, durable. Nothing is done where that is known already. The folder is made for this
    /// user only where it is missing, the file, too.
    ///
    /// - Throws: `.notPermitted` where another key is known for it, and what ``fingerprint(of:)`` throws; `.usage` for a
    ///   name that cannot stand in a line; `.cannotCreate`, `.noSpace`.
    public func record(_ fingerprint: KeyFingerprint, of host: String) throws(FxferError) {
        guard Self.isHost(host) else {
            throw FxferError(.usage, "'\(EscapedText.escape(host))' is no name of a server")
        }
        let file = try KnownHostsFile.open(self.path)
        let text = try Self.rules.read(file.descriptor, named: self.name)
        if let known = try self.fingerprint(of: host, in: text) {
            guard known.fingerprint == fingerprint else {
                throw FxferError(
                    .notPermitted,
                    "line \(known.line) of '\(self.name)' has another key for \(host); remove the line if the server's "
                        + "key was changed on purpose"
                )
            }
            return
        }
        let isLineOpen = text.last.map { $0 != UInt8(ascii: "\n") } ?? false
        let line = host.utf8.map(Self.lowercased) + Array(" \(fingerprint)\n".utf8)
        try file.append((isLineOpen ? [UInt8(ascii: "\n")] : []) + line, to: text.count)
    }

    /// ``fingerprint(of:)`` where `text` is what is in the file.
    func fingerprint(
        of host: String,
        in text: [UInt8]
    ) throws(FxferError) -> (fingerprint: KeyFingerprint, line: Int)? {
        let host = host.utf8.map(Self.lowercased)
        for (index, line) in TextLines(text).enumerated() where !TextLines.isEmptyOrComment(line) {
            let fields = line.split(whereSeparator: TextLines.isSpace)
            guard fields[0].map(Self.lowercased) == host else { continue }
            guard fields.count == 2 || fields.count > 2 && fields[2].first == UInt8(ascii: "#"),
                let fingerprint = KeyFingerprint(String(decoding: fields[1], as: UTF8.self))
            else {
                throw FxferError(
                    .noInput,
                    "line \(index + 1) of '\(self.name)' has no fingerprint that can be read; correct or remove it"
                )
            }
            return (fingerprint, index + 1)
        }
        return nil
    }

    /// The ASCII letter as a small one.
    private static func lowercased(_ character: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(character) ? character | 0x20 : character
    }

    /// Whether the name can be the first word of a line: printable ASCII, no comment.
    private static func isHost(_ host: String) -> Bool {
        host.utf8.first.map { $0 != UInt8(ascii: "#") } ?? false && host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}

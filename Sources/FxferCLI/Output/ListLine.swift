import Fxfer
import FxferProtocol

/// A line of `list`.
struct ListLine {
    private let entry: ListedEntry

    init(_ entry: ListedEntry) {
        self.entry = entry
    }

    private struct Object: Encodable {
        let event = "entry"
        /// Escaped without loss.
        let name: String
        /// `file` or `folder`.
        let kind: String
        let size: UInt64
        /// UTC, `2026-01-31T12:00:00Z`; none where it is not known.
        let modified: String?
        /// Octal, `0644`.
        let mode: String
    }

    func text(asJSON: Bool) -> String {
        let name = EscapedText.escape(self.entry.name)
        let time = self.entry.isTimeKnown ? UTCTime(seconds: self.entry.modified.seconds) : nil
        guard !asJSON else {
            let octal = String(self.entry.permissions, radix: 8)
            return JSONLine.text(
                Object(
                    name: name,
                    kind: self.entry.isFolder ? "folder" : "file",
                    size: self.entry.size,
                    modified: time?.iso8601,
                    mode: String(repeating: "0", count: max(0, 4 - octal.count)) + octal
                )
            )
        }
        let size = self.entry.isFolder ? "-" : "\(self.entry.size)"
        let padding = String(repeating: " ", count: max(0, 14 - size.count))
        return
            "\(self.permissions)  \(padding)\(size)  \(time?.text ?? Self.noTime)  \(name)\(self.entry.isFolder ? "/" : "")"
    }

    private static let noTime = "-" + String(repeating: " ", count: 18)

    /// As ls(1) writes them.
    private var permissions: String {
        let letters = Array("rwxrwxrwx")
        let bits = letters.indices.map { index in
            self.entry.permissions >> (8 - index) & 1 == 1 ? letters[index] : "-"
        }
        return (self.entry.isFolder ? "d" : "-") + String(bits)
    }
}

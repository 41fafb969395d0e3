import FxferProtocol
import NIOCore
import NIOHTTP1

/// What the store has answered to a request that it carried out.
struct S3Answer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: ByteBuffer

    /// The entity tag, without its quotation marks; nil where there is none that could be told again.
    var tag: String? { self.headers.first(name: "etag").flatMap(Self.tag(of:)) }

    /// A tag without its quotation marks; nil for what is none.
    static func tag(of text: String) -> String? {
        var tag = text[...]
        if tag.first == "\"", tag.last == "\"", tag.utf8.count >= 2 { tag = tag.dropFirst().dropLast() }
        let isFit = tag.utf8.allSatisfy { (0x21..<0x7F).contains($0) && $0 != UInt8(ascii: "\"") }
        return (1...256).contains(tag.utf8.count) && isFit ? String(tag) : nil
    }

    /// How long ago the object was written, in seconds by the store's own clock; nil where it does not say.
    var age: Int64? {
        guard let now = self.headers.first(name: "date").flatMap(HTTPDate.seconds),
            let written = self.modified
        else { return nil }
        return now - written
    }

    /// When the object was written, in seconds since 1970.
    var modified: Int64? { self.headers.first(name: "last-modified").flatMap(HTTPDate.seconds) }

    /// The object's size in bytes, as the header of an answer without a body tells it.
    var length: UInt64? { self.headers.first(name: "content-length").flatMap { UInt64($0) } }

    /// The body as XML whose root has that name.
    func document(_ name: String) -> XMLElement? {
        XMLReader.read(self.body.readableBytesView).flatMap { $0.name == name ? $0 : nil }
    }
}

/// `Sat, 28 Nov 2026 17:17:12 GMT`: the form of dates in headers (RFC 9110, section 5.6.7).
enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since 1970; nil for another form.
    static func seconds(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let month = Self.months.firstIndex(of: String(parts[2])) else {
            return nil
        }
        let name = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        let day = parts[1].utf8.count == 1 ? "0\(parts[1])" : "\(parts[1])"
        return FileTime(rfc3339: "\(parts[3])-\(name)-\(day)T\(parts[4]).000000000Z")?.seconds
    }
}

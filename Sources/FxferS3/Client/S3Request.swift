import FxferProtocol
import FxferStorage
import NIOCore
import NIOHTTP1

/// A request to the store, before it has an address and a signature.
struct S3Request: Sendable {
    let method: HTTPMethod
    /// Nil where it is about the bucket.
    let key: [UInt8]?
    private(set) var query: [(name: String, value: String)] = []
    /// Names in lower case, each once.
    private(set) var headers: [(name: String, value: String)] = []
    private(set) var body = ByteBuffer()
    /// The SHA-256 of the body.
    private(set) var bodyDigest = Digest.ofNothing
    /// How many bytes the body of the answer may have.
    var answerLimit = 1 << 20
    /// Whether an answer with a longer body is one without a body, and no error.
    var mayBeTooLong = false
    /// Whether it may take several times as long as others.
    var mayTakeLong = false

    init(_ method: HTTPMethod, _ key: [UInt8]? = nil) {
        self.method = method
        self.key = key
    }

    /// A copy that has a parameter more, in its query.
    func asking(_ name: String, _ value: String = "") -> S3Request {
        var request = self
        request.query.append((name, value))
        return request
    }

    /// A copy that has a header more.
    func with(_ name: String, _ value: String) -> S3Request {
        var request = self
        request.setHeader(name, value)
        return request
    }

    /// A copy with a body; its digest, where that is known already.
    func sending(_ body: ByteBuffer, digest: Digest? = nil) -> S3Request {
        var request = self
        request.body = body
        request.bodyDigest = digest ?? SHA256.digest(of: body)
        return request
    }

    mutating func setHeader(_ name: String, _ value: String) {
        self.headers.removeAll { $0.name == name }
        self.headers.append((name, value))
    }

    /// The query as it is signed, and sent: escaped, sorted by names, each with its `=`.
    var canonicalQuery: String {
        self.query.map { (PercentEncoding.encode($0.name.utf8), PercentEncoding.encode($0.value.utf8)) }
            .sorted { $0 < $1 }
            .map { "\($0)=\($1)" }
            .joined(separator: "&")
    }
}

extension SHA256 {
    /// The digest of the buffer's readable bytes.
    static func digest(of bytes: ByteBuffer) -> Digest {
        var hash = SHA256()
        hash.update(bytes)
        return hash.digest()
    }
}

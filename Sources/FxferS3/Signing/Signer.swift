import CLibcrypto
import FxferProtocol
import FxferStorage

/// Signs requests with AWS's Signature Version 4, in the `Authorization` header.
///
/// Every header that a request has when it is signed is part of the signature, and so is the SHA-256 of its body, which
/// the store compares with what arrives.
struct Signer: Sendable {
    private static let algorithm = "AWS4-HMAC-SHA256"

    let credentials: Credentials
    let region: String
    var service = "s3"

    /// Adds `x-amz-date`, `x-amz-content-sha256`, the session's token where there is one, and `authorization`.
    ///
    /// - Parameters:
    ///   - host: the value of the `Host` header.
    ///   - path: as it is sent, with its escapes.
    func sign(_ request: inout S3Request, host: String, path: String, at time: SigningTime) {
        request.setHeader("host", host)
        request.setHeader("x-amz-date", time.stamp)
        request.setHeader("x-amz-content-sha256", request.bodyDigest.hex)
        if let token = self.credentials.sessionToken { request.setHeader("x-amz-security-token", token) }
        let names = request.headers.map(\.name).sorted()
        let signed = names.joined(separator: ";")
        let lines = request.headers.sorted { $0.name < $1.name }.map { "\($0.name):\(Self.trim($0.value))\n" }
        let canonical = [
            request.method.rawValue, path, request.canonicalQuery, lines.joined(), signed, request.bodyDigest.hex,
        ].joined(separator: "\n")
        let scope = "\(time.date)/\(self.region)/\(self.service)/aws4_request"
        let text = [Self.algorithm, time.stamp, scope, Self.hash(canonical).hex].joined(separator: "\n")
        let signature = Self.hmac(self.key(on: time.date), text)
        request.setHeader(
            "authorization",
            "\(Self.algorithm) Credential=\(self.credentials.accessKey)/\(scope),SignedHeaders=\(signed),"
                + "Signature=\(signature.hex)"
        )
    }

    /// The key that is good for one day, region and service.
    private func key(on date: String) -> [UInt8] {
        [date, self.region, self.service, "aws4_request"].reduce(Array("AWS4\(self.credentials.secretKey)".utf8)) {
            Self.hmac($0, $1).bytes
        }
    }

    private static func trim(_ value: String) -> Substring {
        var value = value[...]
        while value.first == " " { value.removeFirst() }
        while value.last == " " { value.removeLast() }
        return value
    }

    private static func hash(_ text: String) -> Digest {
        SHA256.digest(of: Array(text.utf8)[...])
    }

    private static func hmac(_ key: [UInt8], _ text: String) -> Digest {
        var length: CUnsignedInt = 0
        let data = Array(text.utf8)
        let bytes = [UInt8](unsafeUninitializedCapacity: Digest.byteCount) { buffer, count in
            let result = HMAC(EVP_sha256(), key, CInt(key.count), data, data.count, buffer.baseAddress, &length)
            precondition(result != nil, "HMAC failed")
            count = Int(length)
        }
        guard let digest = Digest(bytes: bytes) else { preconditionFailure("HMAC-SHA256 has 32 bytes") }
        return digest
    }
}

/// When a request is signed: `20130524T000000Z`.
struct SigningTime: Sendable {
    let stamp: String

    /// The day alone.
    var date: String { String(self.stamp.prefix(8)) }

    init(_ time: FileTime) {
        // 2013-05-24T00:00:00.000000000Z
        self.stamp = time.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    }
}

import FxferProtocol
import FxferStorage

/// ASN.1's distinguished encoding, as the i2d_… functions of libcrypto write it.
enum DER {
    /// Calls `encode` for the size in bytes, and once more to write them; see i2d_X509(3).
    ///
    /// - Throws: `.internal` where it fails; `call` is its name.
    static func bytes(
        _ call: String,
        _ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> CInt
    ) throws(FxferError) -> [UInt8] {
        let size = encode(nil)
        guard size > 0 else { throw .libcrypto(call) }
        var written: CInt = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            var end = buffer.baseAddress
            written = encode(&end)
            count = written == size ? Int(size) : 0
        }
        guard written == size else { throw .libcrypto(call) }
        return bytes
    }
}

extension Digest {
    /// The SHA-256 of `bytes`.
    static func sha256(_ bytes: [UInt8]) -> Digest {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }
}

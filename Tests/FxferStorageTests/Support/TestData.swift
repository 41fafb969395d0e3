import FxferProtocol
import NIOCore

@testable import FxferStorage

/// `count` bytes that differ from offset to offset and from seed to seed.
func testBytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state >> 32)
    }
}

func sha256(_ bytes: some Sequence<UInt8>) -> Digest {
    var hash = SHA256()
    hash.update(ByteBuffer(bytes: bytes))
    return hash.digest()
}

func path(_ text: String) throws -> RelativePath {
    try RelativePath(bytes: Array(text.utf8))
}

/// The code of the error that `body` ends with, nil where it succeeds or throws something else.
func failureCode(_ body: () async throws -> Void) async -> FxferError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? FxferError)?.code
    }
}

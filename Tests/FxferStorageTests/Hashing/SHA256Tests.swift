import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

@Suite("SHA-256")
struct SHA256Tests {
    /// FIPS 180-4 examples, as published by NIST's Cryptographic Standards and Guidelines.
    static let vectors: [(message: String, digest: String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
                + "nopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    /// `#expect` takes no calls on values that cannot be copied.
    private static func digest(of hash: inout SHA256) -> Digest { hash.digest() }

    @Test("published vectors come out", arguments: vectors)
    func whole(message: String, digest: String) {
        var hash = SHA256()
        hash.update(ByteBuffer(string: message))
        #expect(Self.digest(of: &hash).hex == digest)
    }

    @Test("the digest does not depend on how the bytes are cut, nor on being asked in between", arguments: vectors)
    func pieces(message: String, digest: String) {
        var hash = SHA256()
        var rest = ByteBuffer(string: message)
        var size = 1
        while let piece = rest.readSlice(length: min(size, rest.readableBytes)), piece.readableBytes > 0 {
            hash.update(piece)
            _ = hash.digest()
            size = size * 3 + 1
        }
        #expect(Self.digest(of: &hash).hex == digest)
        #expect(Self.digest(of: &hash).hex == digest)
    }

    @Test("a copy and its original go their own ways")
    func copies() {
        var hash = SHA256()
        hash.update(ByteBuffer(string: "a"))
        var copy = hash.copy()
        hash.update(ByteBuffer(string: "bc"))
        copy.update(ByteBuffer(string: "bcd"))
        #expect(Self.digest(of: &hash) == sha256("abc".utf8))
        #expect(Self.digest(of: &copy) == sha256("abcd".utf8))
        copy.become(hash)
        #expect(Self.digest(of: &copy) == sha256("abc".utf8))
    }

    @Test("the hash of nothing is the digest of nothing")
    func nothing() {
        var hash = SHA256()
        hash.update(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(Self.digest(of: &hash) == Digest.ofNothing)
    }

    /// A message as FIPS 180-4, section 5.1.1, has it padded: after it, the inner state is the message's digest.
    private static func padded(_ message: String) -> [UInt8] {
        let bytes = Array(message.utf8) + [0x80]
        let zeros = [UInt8](repeating: 0, count: (64 + 56 - bytes.count % 64) % 64)
        return bytes + zeros + (0..<8).map { UInt8(truncatingIfNeeded: (message.utf8.count * 8) >> (56 - 8 * $0)) }
    }

    @Test("the inner state is the standard's", arguments: vectors)
    func state(message: String, digest: String) throws {
        var hash = SHA256()
        hash.update(ByteBuffer(bytes: Self.padded(message)))
        let state = hash.state
        var bytes = ByteBuffer()
        bytes.writeState(try #require(state))
        #expect(Digest(bytes: bytes.readableBytesView)?.hex == digest)
    }

    @Test("a hash goes on from a state as if it had hashed what led there", arguments: [64, 128, 999_936, 1_000_000])
    func goingOn(count: Int) throws {
        let bytes = testBytes(1_000_100)
        var hash = SHA256()
        hash.update(ByteBuffer(bytes: bytes[..<count]))
        let state = hash.state
        var next = SHA256(of: UInt64(count), try #require(state))
        next.update(ByteBuffer(bytes: bytes[count...]))
        let digest = next.digest()
        #expect(digest == sha256(bytes))
    }

    @Test("the length counts beyond 2^32 bits, wherever the hash was gone on from")
    func length() throws {
        let piece = ByteBuffer(bytes: testBytes(1 << 20))
        var hash = SHA256()
        for _ in 0..<513 { hash.update(piece) }
        let state = hash.state
        var next = SHA256(of: 513 << 20, try #require(state))
        hash.update(ByteBuffer(string: "a"))
        next.update(ByteBuffer(string: "a"))
        let (one, other) = (hash.digest(), next.digest())
        #expect(one == other)
    }

    @Test("there is no state within a block, and the first one is that of no bytes")
    func noState() {
        var hash = SHA256()
        let first = hash.state
        #expect(first == .initial)
        hash.update(ByteBuffer(bytes: testBytes(63)))
        let within = hash.state
        #expect(within == nil)
        hash.update(ByteBuffer(bytes: testBytes(1)))
        let behind = hash.state
        #expect(behind != nil && behind != .initial)
    }
}

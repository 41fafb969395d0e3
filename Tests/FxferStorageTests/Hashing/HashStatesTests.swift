import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

/// The states of `bytes`, each from a hash of its own.
private func reference(_ bytes: [UInt8], interval: Int) throws -> [HashState] {
    try stride(from: interval, to: bytes.count, by: interval).map { end in
        var hash = SHA256()
        hash.update(ByteBuffer(bytes: bytes[..<end]))
        let state = hash.state
        return try #require(state)
    }
}

/// What a ``SteppedHash`` has come to.
private struct Outcome: Equatable {
    let states: HashStates
    let digest: Digest
    let position: UInt64

    init(_ hash: borrowing SteppedHash) {
        self.states = hash.states
        self.digest = hash.digest()
        self.position = hash.position
    }
}

@Suite("The inner states of a file's hash")
struct HashStatesTests {
    static let interval = 64
    static let bytes = testBytes(2000)

    /// Adds `bytes` in parts of random sizes.
    private static func update(_ hash: inout SteppedHash, _ bytes: ArraySlice<UInt8>, upTo size: Int = 300) {
        var rest = bytes
        while !rest.isEmpty {
            let part = rest.prefix(.random(in: 0...size))
            hash.update(ByteBuffer(bytes: part))
            rest = rest.dropFirst(part.count)
        }
    }

    @Test(
        "are taken at each multiple of the interval within the file, however its bytes come",
        arguments: [0, 1, 63, 64, 65, 127, 128, 129, 1000, 1984, 1985, 2000],
        [64, 128, 192, 1 << 20]
    )
    func places(size: Int, interval: Int) throws {
        let bytes = Array(Self.bytes[..<size])
        let expected = try reference(bytes, interval: interval)
        for part in [1, 64, 65, 300, 2000] {
            var hash = SteppedHash(HashStates(interval: UInt64(interval)))
            Self.update(&hash, bytes[...], upTo: part)
            let outcome = Outcome(hash)
            #expect(outcome.states.states == expected)
            #expect(outcome.states.interval == UInt64(interval))
            #expect(outcome.states.fits(UInt64(size)))
            #expect(outcome.digest == sha256(bytes))
            #expect(outcome.position == UInt64(size))
        }
    }

    @Test("every second one is dropped where there are too many", arguments: 1...9)
    func doubling(maxCount: Int) throws {
        var hash = SteppedHash(HashStates(interval: 64, maxCount: maxCount))
        for size in 1...Self.bytes.count {
            hash.update(ByteBuffer(bytes: Self.bytes[size - 1..<size]))
            let states = hash.states
            #expect(states.states.count <= maxCount)
            #expect(states.fits(UInt64(size)))
        }
        let states = hash.states
        var interval = 64
        while (Self.bytes.count - 1) / interval > maxCount { interval *= 2 }
        #expect(states.interval == UInt64(interval))
        #expect(states.states == (try reference(Self.bytes, interval: interval)))
    }

    @Test("are the same after going back, with other bytes in between", arguments: 0..<20)
    func goingBack(seed: UInt64) throws {
        let other = testBytes(2000, seed: seed + 2)
        var hash = SteppedHash(HashStates(interval: 64))
        var place = hash.place()
        while hash.position < Self.bytes.count {
            // Bytes that turn out to be damaged, then the right ones.
            Self.update(&hash, other.prefix(.random(in: 0...500)))
            hash.goBack(to: place)
            let start = Int(hash.position)
            Self.update(&hash, Self.bytes[start...].prefix(.random(in: 0...400)))
            place = hash.place()
        }
        let outcome = Outcome(hash)
        #expect(outcome.states.states == (try reference(Self.bytes, interval: 64)))
        #expect(outcome.digest == sha256(Self.bytes))
    }

    @Test("going back behind a doubling keeps the wider interval, and those that are within")
    func goingBackBehindDoubling() throws {
        var hash = SteppedHash(HashStates(interval: 64, maxCount: 4))
        hash.update(ByteBuffer(bytes: Self.bytes[..<200]))
        let place = hash.place()
        hash.update(ByteBuffer(bytes: Self.bytes[200..<400]))
        hash.goBack(to: place)
        hash.update(ByteBuffer(bytes: Self.bytes[200..<300]))
        let outcome = Outcome(hash)
        #expect(outcome.states.interval == 128)
        #expect(outcome.states.states == (try reference(Array(Self.bytes[..<300]), interval: 128)))
        #expect(outcome.digest == sha256(Self.bytes[..<300]))
    }

    @Test("are at most 65,536, of 2 MiB together")
    func bounds() {
        var states = HashStates()
        for _ in 0..<65_536 { states.add(.initial) }
        #expect(states.interval == 1 << 20)
        #expect(states.encoded(size: 65_537 << 20).readableBytes == HashStates.maxByteCount)
        states.add(.initial)
        #expect(states.interval == 2 << 20)
        #expect(states.states.count == 32_768)
    }

    @Test("the steps of a file follow on each other, up to its end")
    func steps() throws {
        var hash = SteppedHash(HashStates(interval: 64))
        hash.update(ByteBuffer(bytes: Self.bytes[..<160]))
        let states = hash.states
        #expect((0..<states.stepCount).map { states.step($0, of: 160) } == [0..<64, 64..<128, 128..<160])
        #expect(states.start(of: 0) == .initial)
        #expect(states.end(of: 0) == states.start(of: 1))
        #expect(states.end(of: 2) == nil)
    }

    // MARK: On disk

    private static func sample() -> (states: HashStates, encoded: ByteBuffer) {
        var hash = SteppedHash(HashStates(interval: 64))
        hash.update(ByteBuffer(bytes: Self.bytes[..<200]))
        return (hash.states, hash.states.encoded(size: 200))
    }

    @Test("come back from their encoded form")
    func roundTrip() {
        let (states, encoded) = Self.sample()
        let read = HashStates(encoded, size: 200)
        #expect(read?.states == states.states)
        #expect(read?.interval == 64)
        #expect(encoded.readableBytes == 28 + 3 * 32 + 32)
        #expect(Array(encoded.readableBytesView.prefix(8)) == Array("FXSTAT\0\u{1}".utf8))
    }

    @Test("are refused where any byte was changed, or is missing, or is too much, or for another size")
    func damage() {
        let encoded = Self.sample().encoded
        let bytes = Array(encoded.readableBytesView)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0x10
            #expect(HashStates(ByteBuffer(bytes: changed), size: 200) == nil)
            #expect(HashStates(ByteBuffer(bytes: bytes[..<index]), size: 200) == nil)
        }
        #expect(HashStates(encoded, size: 199) == nil)
        #expect(HashStates(encoded, size: 201) == nil)
        var longer = encoded
        longer.writeInteger(0 as UInt8)
        #expect(HashStates(longer, size: 200) == nil)
    }

    @Test(
        "numbers that make no sense are refused, though the checksum is right",
        arguments: [
            (0, 200, 3), (63, 200, 3), (65, 200, 3), (1, 200, 3), (.max, 200, 3), (1 << 63, 200, 3), (64, 200, 2),
            (64, 200, 4), (64, 200, .max), (64, 200, 0), (64, 0, 3), (64, .max, 3), (64, .max, .max),
            (1 << 63, .max, 1), (.max - 63, .max, 1),
        ] as [(UInt64, UInt64, UInt32)]
    )
    func numbers(interval: UInt64, size: UInt64, count: UInt32) {
        var bytes = ByteBuffer(bytes: Array("FXSTAT\0\u{1}".utf8))
        bytes.writeInteger(interval)
        bytes.writeInteger(size)
        bytes.writeInteger(count)
        for _ in 0..<3 { bytes.writeState(.initial) }
        bytes.writeBytes(sha256(bytes.readableBytesView).bytes)
        #expect(HashStates(bytes, size: size) == nil)
    }
}

import FxferProtocol
import NIOCore
import Testing

/// Whole conversations about files that have decayed. What is published in the end is what was stored once, or what was
/// there, and nothing between.
@Suite("Sessions that repair")
struct SessionRepairTests {
    typealias Source = MemoryClient.Source
    typealias DecayedContent = MemoryServer.DecayedContent

    /// A file that was stored and has decayed at random, of which something true or false is known.
    struct Sample {
        let path: [UInt8]
        let stored: [UInt8]
        let decayed: DecayedContent

        init(_ path: String, _ generator: inout SeededGenerator, size: Int) {
            self.path = Array(path.utf8)
            self.stored = generator.bytes(size)
            var bytes = self.stored
            for _ in 0...Int.random(in: 0..<4, using: &generator) { bytes.decay(&generator) }
            // It may have become what it was.
            if bytes == self.stored { bytes[0] ^= 1 }
            let isTold = Bool.random(using: &generator)
            let ranges = isTold ? Self.damage(self.stored, bytes) : Self.anyRanges(size, &generator)
            guard let decay = Decay(of: UInt64(size), digest: Digest(ofContent: self.stored), damaged: ranges) else {
                preconditionFailure("ranges of the file")
            }
            self.decayed = DecayedContent(bytes: bytes, decay: decay)
        }

        /// The parts of 4 KiB that are different, those that lie side by side as one.
        private static func damage(_ stored: [UInt8], _ bytes: [UInt8]) -> [Range<UInt64>] {
            var ranges: [Range<UInt64>] = []
            for start in stride(from: 0, to: bytes.count, by: 4096) {
                let part = start..<min(start + 4096, bytes.count)
                guard stored[part] != bytes[part] else { continue }
                if let last = ranges.last, last.upperBound == start {
                    ranges[ranges.count - 1] = last.lowerBound..<UInt64(part.upperBound)
                } else {
                    ranges.append(UInt64(start)..<UInt64(part.upperBound))
                }
            }
            return ranges
        }

        /// Ranges that say nothing of the damage.
        private static func anyRanges(_ size: Int, _ generator: inout SeededGenerator) -> [Range<UInt64>] {
            let count = Int.random(in: 0...8, using: &generator)
            let places = Set((0..<2 * count).map { _ in UInt64.random(in: 0...UInt64(size), using: &generator) })
            let sorted = places.sorted()
            return stride(from: 0, to: sorted.count - 1, by: 2).map { sorted[$0]..<sorted[$0 + 1] }
        }

        var source: Source {
            Source(String(decoding: self.path, as: UTF8.self), self.stored, nil, .byDigest)
        }

        var storedPrefix: FilePrefix { FilePrefix(ofContent: self.stored) }
        var decayedPrefix: FilePrefix { FilePrefix(ofContent: self.decayed.bytes) }
    }

    private static func samples(_ generator: inout SeededGenerator) -> [Sample] {
        let sizes = [1, 65_536, 65_537, 300_000]
        return (0..<Int.random(in: 1...3, using: &generator)).map { index in
            let size = sizes.randomElement(using: &generator) ?? 1
            return Sample("d/\(index)", &generator, size: Int.random(in: max(1, size - 3000)...size, using: &generator))
        }
    }

    private static func server(_ samples: [Sample]) -> MemoryServer {
        MemoryServer(decayed: Dictionary(uniqueKeysWithValues: samples.map { ($0.path, $0.decayed) }))
    }

    /// Each file is as it was stored, or as it was found.
    private static func expectNothingElse(_ server: MemoryServer, _ samples: [Sample]) {
        for sample in samples {
            let isRepaired = server.decayed[sample.path] == nil
            #expect(server.published[sample.path] == (isRepaired ? sample.storedPrefix : sample.decayedPrefix))
        }
    }

    @Test("whatever is damaged, and whatever is said of it, becomes what was stored", arguments: 0..<60)
    func repaired(seed: Int) {
        var generator = SeededGenerator(seed: seed)
        let samples = Self.samples(&generator)
        let client = MemoryClient(samples.map(\.source))
        let pieces = Pieces.random(seed: generator.next())
        var session = MemorySession(client, Self.server(samples), pieces: pieces)
        session.run()
        #expect(session.isSound)
        #expect(session.server.repairs == samples.count)
        #expect(session.server.decayed.isEmpty)
        #expect(session.client.failures == [:])
        for sample in samples {
            #expect(session.server.published[sample.path] == sample.storedPrefix)
            let receipt = session.client.receipts[sample.path]
            #expect(receipt?.outcome == .replaced)
            #expect(receipt?.content == sample.storedPrefix)
            #expect(receipt?.repairedChunks == sample.decayed.decay.chunkCount)
        }
    }

    @Test("only what is damaged travels")
    func little() {
        var generator = SeededGenerator(seed: 1)
        let stored = generator.bytes(1_000_000)
        var bytes = stored
        bytes[500_000] ^= 1
        bytes[999_999] ^= 1
        let digest = Digest(ofContent: stored)
        let ranges: [Range<UInt64>] = [499_712..<503_808, 995_904..<1_000_000]
        guard let decay = Decay(digest: digest, ranges: ranges) else { preconditionFailure("good ranges") }
        let path = Array("a".utf8)
        let server = MemoryServer(decayed: [path: DecayedContent(bytes: bytes, decay: decay)])
        var session = MemorySession(MemoryClient([Source("a", stored, nil, .byDigest)]), server)
        session.run()
        #expect(session.server.published == [path: FilePrefix(ofContent: stored)])
        #expect(session.server.rewinds == 0)
        #expect((session.streams[.toServer]?.count ?? 0) < 9000)
    }

    @Test("a client with another file neither repairs nor replaces it", arguments: 0..<10)
    func otherContent(seed: Int) {
        var generator = SeededGenerator(seed: seed)
        let samples = Self.samples(&generator)
        let sources = samples.map {
            Source(String(decoding: $0.path, as: UTF8.self), generator.bytes($0.stored.count), nil, .byDigest)
        }
        // One byte may be the stored one by chance.
        guard zip(sources, samples).allSatisfy({ $0.content != $1.stored && $0.content != $1.decayed.bytes }) else {
            return
        }
        var session = MemorySession(MemoryClient(sources), Self.server(samples))
        session.run()
        #expect(session.isSound)
        #expect(session.server.repairs == 0)
        #expect(session.client.receipts.isEmpty)
        #expect(session.client.failures.values.allSatisfy { $0 == .exists })
        #expect(session.client.failures.count == samples.count)
        Self.expectNothingElse(session.server, samples)
    }

    @Test("a client with the very damage is refused, and the file stays", arguments: 0..<10)
    func sameDamage(seed: Int) {
        var generator = SeededGenerator(seed: seed)
        let sample = Sample("a", &generator, size: 100_000)
        var session = MemorySession(
            MemoryClient([Source("a", sample.decayed.bytes, nil, .byDigest)]),
            Self.server([sample])
        )
        session.run()
        #expect(session.isSound)
        #expect(session.client.receipts.isEmpty)
        #expect(session.client.failures == [sample.path: .exists])
        #expect(session.server.repairs == 0)
        Self.expectNothingElse(session.server, [sample])
    }

    @Test("a flipped byte on the way never makes of a file what it was not", arguments: 0..<40)
    func damage(batch: Int) {
        var generator = SeededGenerator(seed: batch)
        let samples = Self.samples(&generator)
        let sources = samples.map(\.source)
        var sound = MemorySession(MemoryClient(sources), Self.server(samples))
        sound.run()
        for _ in 0..<8 {
            let direction = MemorySession.Direction.allCases.randomElement(using: &generator) ?? .toServer
            let damage = MemorySession.Damage(
                direction: direction,
                offset: Int.random(in: 0..<max(1, sound.streams[direction]?.count ?? 1), using: &generator),
                mask: UInt8.random(in: 1...UInt8.max, using: &generator)
            )
            let pieces = Pieces.random(seed: generator.next())
            var session = MemorySession(MemoryClient(sources), Self.server(samples), pieces: pieces, damage: damage)
            session.run()
            Self.expectNothingElse(session.server, samples)
            for sample in samples where session.client.receipts[sample.path] != nil {
                #expect(session.server.published[sample.path] == sample.storedPrefix)
            }
            if session.isSound { #expect(session.server.repairs == samples.count) }
        }
    }

    // MARK: Mutated streams

    /// Of the first, nothing true is known: it is rewound at its gaps and at its end.
    static let recordedSamples: [Sample] = {
        var generator = SeededGenerator(seed: 7)
        return [Sample("a", &generator, size: 70_000), Sample("b", &generator, size: 3000)]
    }()

    static let recorded: [MemorySession.Direction: [UInt8]] = {
        var session = MemorySession(
            MemoryClient(Self.recordedSamples.map(\.source)),
            Self.server(Self.recordedSamples)
        )
        session.run()
        precondition(session.isSound && session.server.repairs == 2)
        return session.streams
    }()

    static let clientUnits = StreamUnit.units(of: Self.recorded[.toServer] ?? [])
    static let serverUnits = StreamUnit.units(of: Self.recorded[.toClient] ?? [])

    @Test("the recording has what it is for")
    func recording() {
        let types = Self.clientUnits.map(\.frame.type)
        #expect(types.count { $0 == FrameType.repair.rawValue } == 2)
        #expect(types.count { $0 == FrameType.chunk.rawValue } >= 2)
        #expect(Self.serverUnits.count { $0.frame.type == FrameType.accept.rawValue && $0.frame.body.count > 44 } == 2)
    }

    @Test("a client's stream with changed frames makes of no file what it was not", arguments: 0..<50)
    func frames(batch: Int) {
        var generator = SeededGenerator(seed: batch)
        for _ in 0..<60 {
            var units = Self.clientUnits
            for _ in 0...Int.random(in: 0..<4, using: &generator) { units.mutate(&generator) }
            var server = Self.server(Self.recordedSamples)
            let pieces = Pieces.random(seed: generator.next())
            for piece in pieces.cut(ByteBuffer(bytes: Preamble.bytes + units.flatMap(\.bytes))) {
                server.receive(piece)
            }
            #expect(Decoded(Array(server.takeOutput().readableBytesView)).code == nil)
            Self.expectNothingElse(server, Self.recordedSamples)
        }
    }

    @Test("a server's stream with changed frames makes no client believe what is not true", arguments: 0..<50)
    func answers(batch: Int) {
        var generator = SeededGenerator(seed: batch)
        for _ in 0..<60 {
            var units = Self.serverUnits
            for _ in 0...Int.random(in: 0..<4, using: &generator) { units.mutate(&generator) }
            let isInterleaved = Bool.random(using: &generator)
            var client = MemoryClient(Self.recordedSamples.map(\.source))
            client.receive(ByteBuffer(bytes: Preamble.bytes))
            for unit in units {
                client.receive(ByteBuffer(bytes: unit.bytes))
                if isInterleaved { client.advance() }
            }
            client.advance()
            for sample in Self.recordedSamples {
                guard let receipt = client.receipts[sample.path] else { continue }
                #expect(receipt.content == sample.storedPrefix)
                #expect(receipt.path == sample.path)
            }
        }
    }
}

extension [UInt8] {
    /// What disks do: one bit, one byte, or a part that is zero or another's.
    fileprivate mutating func decay(_ generator: inout SeededGenerator) {
        guard let start = self.indices.randomElement(using: &generator) else { return }
        let end = Swift.min(start + Int.random(in: 1...20_000, using: &generator), self.count)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: self[start] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: self.flip(&generator)
        case 2: self.replaceSubrange(start..<end, with: repeatElement(0, count: end - start))
        default: self.replaceSubrange(start..<end, with: generator.bytes(end - start))
        }
    }
}

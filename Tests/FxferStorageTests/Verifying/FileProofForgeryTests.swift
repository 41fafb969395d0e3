import FxferProtocol
import NIOCore
import Testing

@testable import FxferStorage

@Suite("The proof of a file with wrong states")
struct FileProofForgeryTests {
    static let content = testBytes(1000)

    private static func garbage() -> HashState {
        func word() -> UInt32 { .random(in: .min ... .max) }
        return HashState(words: (word(), word(), word(), word(), word(), word(), word(), word()))
    }

    /// States that fit each other and the content from a wrong one on.
    private static func consistent(from index: Int, _ content: [UInt8], in states: inout [HashState]) throws {
        states[index] = Self.garbage()
        for next in index + 1..<states.count {
            states[next] = try step(states[next - 1], content, next * 64..<(next + 1) * 64)
        }
    }

    @Test("an unchanged file is intact whichever states are wrong", arguments: 0..<15)
    func single(index: Int) async throws {
        var sample = try ProofSample(Self.content)
        sample.states = sample.forged { $0[index] = Self.garbage() }
        for lanes in [1, 3] { #expect(try await sample.finding(lanes: lanes) == .intact) }
    }

    @Test("an unchanged file is intact where the states fit each other, but not the digest", arguments: 0..<15)
    func consistent(index: Int) async throws {
        var sample = try ProofSample(Self.content)
        var words = try #require(sample.states).states
        try Self.consistent(from: index, Self.content, in: &words)
        sample.states = sample.forged { $0 = words }
        #expect(try await sample.finding() == .intact)
    }

    @Test("an unchanged file is intact where any number of states are wrong", arguments: 0..<30)
    func many(_: Int) async throws {
        var sample = try ProofSample(Self.content)
        sample.states = sample.forged { words in
            for index in words.indices where Bool.random() { words[index] = Self.garbage() }
        }
        #expect(try await sample.finding(lanes: .random(in: 1...4)) == .intact)
        sample.states = sample.forged { words in words.shuffle() }
        #expect(try await sample.finding() == .intact)
    }

    @Test("states of another number or interval are left aside")
    func misfits() async throws {
        var sample = try ProofSample(Self.content)
        let states = try #require(sample.states).states
        for count in [0, 1, 14, 16, 40] {
            var other = HashStates(interval: 64)
            for index in 0..<count { other.add(states[index % 15]) }
            sample.states = other
            #expect(try await sample.finding() == .intact)
        }
        var wide = HashStates(interval: 128)
        for state in states.prefix(7) { wide.add(state) }
        sample.states = wide
        #expect(try await sample.finding() == .intact)
    }

    @Test("a changed file is never intact, also where states were made up to fit it", arguments: 0..<1000)
    func madeUp(index: Int) async throws {
        var sample = try ProofSample(Self.content)
        var content = sample.content
        content[index] ^= 0x40
        var hash = SteppedHash(HashStates(interval: 64))
        hash.update(ByteBuffer(bytes: content))
        sample.states = hash.states
        #expect(try await sample.finding(content) != .intact)
    }

    @Test("a changed file is never intact, whatever the states are", arguments: 0..<40)
    func mixed(_: Int) async throws {
        var sample = try ProofSample(Self.content)
        var content = sample.content
        content[.random(in: content.indices)] ^= .random(in: 1...255)
        let right = try #require(sample.states).states
        sample.states = sample.forged { words in
            for index in words.indices where Bool.random() {
                let start = index == 0 ? HashState.initial : words[index - 1]
                words[index] = (try? step(start, content, index * 64..<(index + 1) * 64)) ?? right[index]
            }
        }
        #expect(try await sample.finding(content, lanes: .random(in: 1...4)) != .intact)
        sample.states = sample.forged { words in
            for index in words.indices where Bool.random() { words[index] = Self.garbage() }
        }
        #expect(try await sample.finding(content) != .intact)
    }

    @Test("a wrong state beside a change does not hide it, and its step is among the ranges")
    func beside() async throws {
        var sample = try ProofSample(Self.content)
        sample.states = sample.forged { $0[10] = Self.garbage() }
        var content = sample.content
        content[200] ^= 1
        guard case .changed(let ranges) = try await sample.finding(content) else {
            Issue.record("not found")
            return
        }
        #expect(ranges.contains { $0.contains(200) })
        // The other way round, the steps of the wrong state are met again, and are not told.
        sample.states = sample.forged { $0[10] = Self.garbage() }
        var late = sample.content
        late[990] ^= 1
        #expect(try await sample.finding(late) == .changed(ranges: [960..<1000]))
    }

    @Test("damaged files of states are as good as none", arguments: [0, 10, 20, 27, 100, 539])
    func damaged(index: Int) async throws {
        var sample = try ProofSample(Self.content)
        let kept = StatesFolder(try sample.folder.open())
        kept.save(try #require(sample.states), for: sample.digest, size: sample.size)
        try sample.folder.flip(at: index, in: sample.digest.hex)
        sample.states = kept.load(for: sample.digest, size: sample.size)
        #expect(sample.states == nil)
        #expect(try await sample.finding() == .intact)
        var content = sample.content
        content[0] ^= 1
        #expect(try await sample.finding(content) == .changed(ranges: []))
    }
}

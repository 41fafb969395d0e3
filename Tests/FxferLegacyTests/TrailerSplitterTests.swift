import NIOCore
import Testing

@testable import FxferLegacy

@Suite("Telling the thanks from the file before it")
struct TrailerSplitterTests {
    /// A stream after it went through a splitter.
    struct Outcome: Equatable {
        var file: [UInt8] = []
        var tail: [UInt8] = []
        var isTrailer = false
    }

    /// What a splitter makes of a stream that comes in these pieces.
    private static func split(_ pieces: [some Collection<UInt8>], trailer: [UInt8]) -> Outcome {
        var splitter = TrailerSplitter(trailer: trailer)
        var outcome = Outcome()
        for piece in pieces {
            for certain in splitter.push(ByteBuffer(bytes: piece)) {
                #expect(certain.readableBytes > 0, "nothing is not worth a write")
                outcome.file += certain.readableBytesView
            }
        }
        let (tail, isTrailer) = splitter.finish()
        outcome.tail = Array(tail.readableBytesView)
        outcome.isTrailer = isTrailer
        return outcome
    }

    /// What has to come out, whatever the pieces are.
    private static func expected(_ stream: [UInt8], trailer: [UInt8]) -> Outcome {
        let tail = Array(stream.suffix(trailer.count))
        return Outcome(file: stream.dropLast(tail.count), tail: tail, isTrailer: tail == trailer)
    }

    /// All ways to cut `stream` into pieces.
    private static func allCuts(of stream: [UInt8]) -> [[ArraySlice<UInt8>]] {
        guard stream.count > 1 else { return [[stream[...]]] }
        return (0..<(1 << (stream.count - 1))).map { cuts in
            var pieces: [ArraySlice<UInt8>] = []
            var start = 0
            for index in 1..<stream.count where cuts >> (index - 1) & 1 == 1 {
                pieces.append(stream[start..<index])
                start = index
            }
            return pieces + [stream[start...]]
        }
    }

    @Test(
        "however a stream is cut into pieces, the file is the same and the end is known",
        arguments: [
            "", "T", "TH", "THX", "aTHX", "TTHX", "THTHX", "THXTHX", "THXTHXTHX", "fileTHX", "THXTH", "THXfile", "THXa",
            "file THX\n", "XHT", "fileTH", "aTHXbTHX", "THTHTHX", "\u{0}\u{0}THX",
        ]
    )
    func everyCut(text: String) {
        let stream = Array(text.utf8)
        let trailer = Array("THX".utf8)
        let expected = Self.expected(stream, trailer: trailer)
        for pieces in Self.allCuts(of: stream) {
            #expect(Self.split(pieces, trailer: trailer) == expected, "\(pieces.map(Array.init))")
        }
    }

    @Test(
        "the real thanks are found at every place where a stream may be cut in two",
        arguments: [
            "", "a", "content\n", "Thank you for connecting", "Thank you for connecting\n", "Thank you for connectin",
            "Thank you for Thank you for connectin", "TTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTTT", "\u{F8}FXF\r\n\u{1A}\n",
        ]
    )
    func realThanks(content: String) {
        let file = Array(content.utf8)
        let stream = file + Textbook.fileTrailer
        let whole = Outcome(file: file, tail: Textbook.fileTrailer, isTrailer: true)
        for index in 0...stream.count {
            let pieces = [stream[..<index], stream[index...]]
            #expect(Self.split(pieces, trailer: Textbook.fileTrailer) == whole, "cut at \(index)")
        }
    }

    @Test(
        "a stream that only nearly ends with the thanks does not end with them, and nothing of it is lost",
        arguments: [
            "", "Thank you for connectin", "hank you for connecting", "Thank you for connecting\n",
            "thank you for connecting", "Thank you for connecting Thank you", "a file without any thanks",
        ]
    )
    func lookalikes(text: String) {
        let stream = Array(text.utf8)
        for index in 0...stream.count {
            let outcome = Self.split([stream[..<index], stream[index...]], trailer: Textbook.fileTrailer)
            #expect(!outcome.isTrailer)
            #expect(outcome.file + outcome.tail == stream)
            #expect(outcome.tail.count <= Textbook.fileTrailer.count)
        }
    }

    @Test("random streams in random pieces give the same as the whole", arguments: 0..<50 as Range<UInt64>)
    func random(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let trailer = Array("ababa".utf8)
        // Few letters: nearly every place looks like the beginning of the trailer.
        let letters = Array("aab".utf8)
        var stream = (0..<Int.random(in: 0...3000, using: &random)).map { _ in
            letters[Int.random(in: 0..<3, using: &random)]
        }
        if Bool.random(using: &random) { stream += trailer }
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        while start < stream.count {
            let end = min(stream.count, start + Int.random(in: 0...20, using: &random))
            pieces.append(stream[start..<end])
            start = end
        }
        #expect(Self.split(pieces, trailer: trailer) == Self.expected(stream, trailer: trailer))
    }

    @Test("at most as many bytes as the thanks have are held back")
    func holdsBackLittle() {
        var splitter = TrailerSplitter(trailer: Textbook.fileTrailer)
        var pushed = 0
        var certain = 0
        for size in [1, 5, 23, 24, 25, 1, 100_000, 1, 24] {
            pushed += size
            certain += splitter.push(ByteBuffer(repeating: 0x54, count: size)).reduce(0) { $0 + $1.readableBytes }
            #expect(pushed - certain == min(pushed, Textbook.fileTrailer.count))
        }
    }
}

/// SplitMix64: the same numbers for the same seed.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Input that several parts of a target take from in turn.
final class Dice {
    var input: FuzzInput

    init(_ bytes: [UInt8]) {
        self.input = FuzzInput(bytes)
    }
}

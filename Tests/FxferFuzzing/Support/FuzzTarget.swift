/// A function that takes any bytes and must neither trap nor find a rule of its subject broken.
struct FuzzTarget: Sendable {
    /// By which `fuzz` and the folders in `testdata/fuzz` call it.
    let name: String
    /// The longest input that is of use, in bytes.
    let maxLength: Int
    /// What a search begins with.
    let seeds: @Sendable () -> [[UInt8]]
    /// Throws ``BrokenRule``.
    let run: @Sendable ([UInt8]) throws -> Void

    init(
        _ name: String,
        maxLength: Int = 4096,
        seeds: @autoclosure @escaping @Sendable () -> [[UInt8]],
        run: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.name = name
        self.maxLength = maxLength
        self.seeds = seeds
        self.run = run
    }
}

/// Something that must hold for every input does not.
struct BrokenRule: Error, CustomStringConvertible {
    let description: String
}

/// Makes sure that a rule holds.
func require(_ holds: Bool, _ rule: @autoclosure () -> String) throws(BrokenRule) {
    guard holds else { throw BrokenRule(description: rule()) }
}

/// The value, which has to be there.
func require<Value>(_ value: Value?, _ rule: @autoclosure () -> String) throws(BrokenRule) -> Value {
    guard let value else { throw BrokenRule(description: rule()) }
    return value
}

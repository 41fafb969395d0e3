/// Where a program of the textbook talks to its user.
package protocol Console: Sendable {
    /// Shows a line. Text from a peer has been escaped.
    func show(_ line: String) async

    /// Asks for a line with a prompt, which only a terminal shows; nil at the end of the input.
    func ask(_ prompt: String) async -> [UInt8]?
}

import Glibc

/// The program that `fuzz` builds and runs.
///
/// ```
/// fxfer-fuzz                       prints the names of all targets, each with the longest input that is of use
/// fxfer-fuzz TARGET seeds FOLDER   writes the target's seeds to a folder
/// fxfer-fuzz TARGET run …          hands the target and the other arguments to libFuzzer
/// ```
@main
struct FuzzProgram {
    private nonisolated(unsafe) static var target: FuzzTarget?

    static func main() {
        guard CommandLine.argc > 2 else {
            for target in FuzzTarget.all { print(target.name, target.maxLength) }
            return
        }
        guard let target = FuzzTarget.all.first(where: { $0.name == CommandLine.arguments[1] }) else {
            fatalError("there is no target '\(CommandLine.arguments[1])'")
        }
        Self.target = target
        if CommandLine.arguments[2] == "seeds" { return Self.writeSeeds(of: target, to: CommandLine.arguments[3]) }
        // The program's name stays, as libFuzzer looks for options behind it.
        var arguments = CommandLine.unsafeArgv + 2
        var count = CommandLine.argc - 2
        arguments[0] = CommandLine.unsafeArgv[0]
        exit(runLibFuzzer(&count, &arguments) { Self.run($0, $1) })
    }

    private static func run(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        do {
            try Self.target?.run(Array(UnsafeBufferPointer(start: start, count: count)))
        } catch {
            fatalError("\(error)")
        }
        return 0
    }

    private static func writeSeeds(of target: FuzzTarget, to folder: String) {
        for (index, seed) in target.seeds().enumerated() {
            guard let file = fopen("\(folder)/seed-\(index)", "w") else { fatalError("cannot write to \(folder)") }
            fwrite(seed, 1, seed.count, file)
            fclose(file)
        }
    }
}

/// libFuzzer as a library (FuzzerInterface.h): calls `run` with one input after the other.
@_silgen_name("LLVMFuzzerRunDriver")
private func runLibFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ run: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

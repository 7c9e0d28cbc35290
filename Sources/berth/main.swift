internal import Glibc

// A hypervisor's call is answered before any option is parsed: a domain may have any name, and the
// host should wait for nothing that it did not ask for.
if let call = HookCall(arguments: CommandLine.arguments) {
  exit(Hook.answer(call))
}
exit(CommandLineTool.run())

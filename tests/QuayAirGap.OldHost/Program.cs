#pragma warning disable RS0030 // a program for a test: it talks to the console
using System.Reflection;
using System.Security.Cryptography.Pkcs;

// Loads the module's assemblies as its .psm1 does, and sends a test warning by every channel of a site's settings. Arguments: the module's bin folder, the site.
Console.WriteLine($"Pkcs {typeof(SignedCms).Assembly.GetName().Version!.Major}");
Assembly loader = Assembly.LoadFrom(Path.Combine(args[0], "QuayAirGap.Loader.dll"));
var cmdlets = (Assembly)loader.GetType("QuayAirGap.Loader.LoadContext", throwOnError: true)!.GetMethod("Initialize")!.Invoke(null, [args[0]])!;
Assembly core = System.Runtime.Loader.AssemblyLoadContext.GetLoadContext(cmdlets)!.LoadFromAssemblyName(new AssemblyName("QuayAirGap.Core"));
Type Of(string name) => core.GetType("QuayAirGap.Core." + name, throwOnError: true)!;

object site = Of("Sites.Site").GetMethod("Open")!.Invoke(null, [args[1]])!;
object request = Activator.CreateInstance(Of("Notifying.WarningRequest"))!;
Of("Notifying.WarningRequest").GetProperty("Test")!.SetValue(request, true);
object sender = Activator.CreateInstance(Of("Notifying.WarningSender"), site, request, TimeProvider.System)!;
var all = Delegate.CreateDelegate(typeof(Func<,>).MakeGenericType(Of("Notifying.PlannedWarning"), typeof(bool)), ((Func<object, bool>)Always).Method);
var task = (Task)Of("Notifying.WarningSender").GetMethod("SendAsync")!.Invoke(sender, [all, CancellationToken.None])!;
await task;
foreach (object outcome in (System.Collections.IEnumerable)task.GetType().GetProperty("Result")!.GetValue(task)!)
{
    Console.WriteLine($"sent {outcome.GetType().GetProperty("Sent")!.GetValue(outcome)} {outcome.GetType().GetProperty("Error")!.GetValue(outcome)}");
}

((IDisposable)sender).Dispose();

static bool Always(object planned) => true;

using System.Globalization;
using System.Management.Automation;

namespace QuayAirGap.Commands;

/// <summary>
/// Reads an argument as it was written: the engine takes an unquoted 3d or 4.7GB for a number of its own units, but its conversion to text
/// remembers the unit. A value of the right kind is left as it is.
/// </summary>
/// <typeparam name="T">What the parameter takes.</typeparam>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public abstract class TextTransformationAttribute<T> : ArgumentTransformationAttribute
    where T : struct
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object bare = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        return bare is T ? bare : Read(((string)LanguagePrimitives.ConvertTo(inputData, typeof(string), CultureInfo.InvariantCulture)).Trim());
    }

    /// <param name="text">Without space around it.</param>
    /// <exception cref="ArgumentTransformationMetadataException">It is none; the message says how to write one.</exception>
    private protected abstract T Read(string text);
}

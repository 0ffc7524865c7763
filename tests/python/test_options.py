"""Options of liblstm: those of the C headers, in the signatures; others are refused.

usage: test_options.py (with LIBLSTM and LIBMNIST set)
"""
import copy
import inspect
import pathlib
import pickle
import re
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "examples/python"), str(ROOT / "tests/support")]
import declarations  # noqa: E402
import liblstm  # noqa: E402
from liblstm import _c, _native, mnist  # noqa: E402

# The function with the options of each struct, and the fields that it fills from others or
# that are no options.
OPTIONS = {
    "lstm_layer_config": (liblstm.Layer, set()),
    "lstm_linear_config": (liblstm.Linear, set()),
    "lstm_embedding_config": (liblstm.Embedding, {"padding"}),
    "lstm_adam_config": (liblstm.Adam, set()),
    "lstm_cross_entropy_config": (liblstm.CrossEntropy, {"classes", "ignore"}),
    "lstm_loss_options": (liblstm.bce, {"classes"}),
    "lstm_schedule": (liblstm.Schedule, {"milestone_count"}),
    "lstm_plateau": (liblstm.Plateau, {"started", "best", "bad", "cooling"}),
    "mnist_source": (mnist.Dataset.open, {"user"}),
    "mnist_loader_config": (mnist.Loader, set()),
}
OTHER_ARGUMENTS = {"rng", "params", "input", "target", "split", "dataset"}
# What the comments say in other words: the loader takes MNIST's for 0 and 0.
DEFAULTS = {("mnist_loader_config", "mean"): 0.1307, ("mnist_loader_config", "std"): 0.3081,
            ("lstm_schedule", "milestones"): (), ("lstm_schedule", "steps"): 0,
            ("mnist_source", "synthetic_count"): None,
            ("mnist_source", "download_seconds"): None,
            ("mnist_source", "limit"): None}


def fields(struct):
    """Names and comments of the fields of a struct in the headers."""
    library = struct.split("_")[0]
    body = re.search(rf"typedef struct {struct} \{{(.*?)\n\}}", declarations.cdef(library),
                     re.DOTALL)[1]
    found = re.findall(r"/\*\*(.*?)\*/\s*[^;/]*?\*?(\w+)(?:\[8\])?;", body, re.DOTALL)
    return {name: " ".join(re.sub(r"\n\s*\*", " ", comment).split())
            for comment, name in found if name != "reserved"}


def default(comment):
    """The default in the comment of a field as Python has it; a tuple without one."""
    stated = re.search(r"\(default ([^,;:)]*)(?:,?;? which means ([^,;)]*))?", comment)
    if not stated:
        return ()
    text = stated[2] or stated[1]
    words = {"false": False, "NULL": None, "LSTM_FLOAT32": _c.Precision.FLOAT32,
             "LSTM_REDUCTION_MEAN": _c.Reduction.MEAN}
    return words[text] if text in words else float(eval(text, {}))


class Signatures(unittest.TestCase):
    def test_the_options_are_the_fields_of_the_headers(self):
        for struct, (function, others) in OPTIONS.items():
            with self.subTest(struct):
                names = {*inspect.signature(function).parameters} - OTHER_ARGUMENTS
                self.assertEqual(names, {*fields(struct)} - others)

    def test_the_defaults_are_those_of_the_headers(self):
        checked = 0
        for struct, (function, others) in OPTIONS.items():
            parameters = inspect.signature(function).parameters
            for name, comment in fields(struct).items():
                required = name in parameters and \
                    parameters[name].default is inspect.Parameter.empty
                if name in others or required or (struct, name) == (
                        "lstm_embedding_config", "padding_index"):
                    continue
                expected = DEFAULTS.get((struct, name), default(comment))
                with self.subTest(f"{struct}.{name}: {comment}"):
                    actual = parameters[name].default
                    if isinstance(expected, float):
                        self.assertAlmostEqual(actual, expected, 12)
                    elif expected != () or (struct, name) in DEFAULTS:
                        self.assertEqual(actual, expected)
                    else:
                        self.assertIsNone(actual)
                    checked += 1
        self.assertGreater(checked, 40)

    def test_the_enums_are_those_of_the_headers(self):
        text = declarations.without_comments(declarations.cdef("lstm"))
        for kind in (_c.Precision, _c.Reduction, _c.Layout, _c.ScheduleKind):
            name = kind.__doc__.split(": ")[-1].rstrip(".")
            body = re.search(rf"typedef enum {name} \{{(.*?)\}}", text, re.DOTALL)[1]
            values = {each.split("=")[0].strip(): int(each.split("=")[1])
                      for each in body.split(",")}
            self.assertEqual(len(values), len(kind))
            for member in kind:
                ends = [value for each, value in values.items()
                        if each.endswith("_" + member.name)]
                self.assertIn(int(member), ends)


def params():
    return liblstm.Params(fc=liblstm.Linear(2, 1))


def calls():
    """Calls with an option that does not exist, and what their message has."""
    made, layer = params(), liblstm.Layer(1, 1)
    layer.train(False)
    for name, hint in (("num_layers", "'layers'"), ("input_size", "'inputs'"),
                       ("hidden_size", "'hidden'"), ("bias", "'no_bias'"),
                       ("droput", "'dropout'"), ("batchfirst", "'batch_first'"),
                       ("bidir", "'bidirectional'"), ("device", "the CPU"),
                       ("qqq", "qqq")):
        yield liblstm.Layer, (3, 4), name, hint
    for name, hint in (("learning_rate", "'lr'"), ("betas", "'beta1' and 'beta2'"),
                       ("weightdecay", "'weight_decay'"), ("epsilon", "'eps'")):
        yield liblstm.Adam, (made,), name, hint
    for name, hint in (("in_features", "'inputs'"), ("bias", "'no_bias'")):
        yield liblstm.Linear, (3, 4), name, hint
    for name, hint in (("padding_idx", "'padding_index'"), ("embedding_dim", "'size'")):
        yield liblstm.Embedding, (3, 4), name, hint
    for name, hint in (("weight", "'class_weights'"), ("smoothing", "'label_smoothing'"),
                       ("ignore_idx", "'ignore_index'")):
        yield liblstm.CrossEntropy, (), name, hint
    for name, hint in (("mode", "'maximize'"), ("patiense", "'patience'")):
        yield liblstm.Plateau, (1.0,), name, hint
    for name, hint in (("step_size", "'steps'"), ("T_max", "'steps'"), ("gama", "'gamma'")):
        yield liblstm.Schedule, ("step", 1.0), name, hint
    yield liblstm.mse, (liblstm.Tensor(1), liblstm.Tensor(1)), "size_average", "'reduction'"
    yield liblstm.bce, (liblstm.Tensor(1), liblstm.Tensor(1)), "pos_weights", "'pos_weight'"
    yield liblstm.Tape, (liblstm.Layer(1, 1),), "generator", "generator"
    yield liblstm.Stream, (liblstm.Layer(1, 1),), "batch_size", "'batch'"
    yield liblstm.Rng, (1,), "sead", "'seed'"
    tensor, rng = liblstm.Tensor(1), liblstm.Rng(1)
    for name, hint in (("generator", "'rng'"), ("seed", "'rng'")):
        yield liblstm.Layer, (3, 4), name, hint
    for name, hint in (("hx", "'h0' and 'c0'"), ("h_n", "'hn'")):
        yield layer.forward, (tensor,), name, hint
    yield layer.train, (), "mode", "'training'"
    yield made.clip_norm, (1.0,), "norm_type", "Euclidean"
    yield made.clip_value, (1.0,), "clip_value", "'limit'"
    yield made.zero_grad, (), "set_to_none", "zeroed"
    yield rng.uniform, (tensor,), "a", "'low'"
    yield liblstm.Linear(1, 1).forward, (tensor,), "input", "'x'"
    yield liblstm.Embedding(1, 1).forward, (tensor,), "input", "'indices'"
    yield liblstm.CrossEntropy().forward, (tensor,), "target", "'targets'"
    yield liblstm.Embedding, (3, 4), "sparse", "dense"
    yield liblstm.File, ("x",), "mode", "mode"
    yield liblstm.Layer.load, ("x",), "prefx", "prefx"
    yield made.save, ("x",), "optimizer", "'adam'"
    yield made.load, ("x",), "strict", "'allow_surplus'"
    yield mnist.Dataset.open, ("train",), "of_line", "'offline'"
    yield mnist.Dataset.read, ("x",), "lables", "'labels'"
    yield mnist.Dataset.synthetic, (1,), "sead", "'seed'"
    yield mnist.Loader, (mnist.Dataset.synthetic(1), 1), "shufle", "'shuffle'"
    for struct in (_c.LayerConfig, _c.AdamConfig, mnist.Source):
        yield struct, (), "num_layers", "num_layers"
    for method in (liblstm.Layer(1, 1).forward, liblstm.Layer(1, 1).backward,
                   liblstm.Layer(1, 1).gates, liblstm.Stream(layer).step):
        yield method, (liblstm.Tensor(1),), "hx", "hx"


class Refused(unittest.TestCase):
    def test_a_value_that_is_no_number_is_named(self):
        layer, rng, tensor = liblstm.Layer(1, 1), liblstm.Rng(1), liblstm.Tensor(1)
        set_ = liblstm.Params(lstm=layer)
        adam = liblstm.Adam(set_)
        for name, function in (
                ("lr", lambda: liblstm.Adam(set_, lr="a")),
                ("lr", lambda: setattr(adam, "lr", "a")),
                ("lr_factor", lambda: adam.set_parameter(0, "a")),
                ("max_norm", lambda: set_.clip_norm("a")),
                ("limit", lambda: set_.clip_value("a")),
                ("dropout", lambda: liblstm.Layer(1, 1, dropout="a")),
                ("label_smoothing", lambda: liblstm.CrossEntropy(label_smoothing="a")),
                ("lr", lambda: liblstm.Schedule("constant", "a")),
                ("lr", lambda: liblstm.Plateau("a")),
                ("metric", lambda: liblstm.Plateau(1.0).update("a")),
                ("value", lambda: tensor.fill("a")),
                ("low", lambda: rng.uniform(tensor, "a")),
                ("std", lambda: rng.normal(tensor, 0, "a"))):
            with self.subTest(name=name), self.assertRaises(TypeError) as caught:
                function()
            self.assertEqual(str(caught.exception), f"{name} is 'a', expected a number")

    def test_a_schedule_can_be_copied_and_pickled(self):
        schedule = liblstm.Schedule("multi_step", 0.1, milestones=[2, 3], gamma=0.5)
        for twin in (copy.copy(schedule), copy.deepcopy(schedule),
                     pickle.loads(pickle.dumps(schedule))):
            self.assertEqual(repr(twin), repr(schedule))
            self.assertEqual([twin(i) for i in range(4)], [0.1, 0.1, 0.05, 0.025])

    def test_a_value_of_another_type_is_named_with_its_module(self):
        class Foreign:
            def detach(self):
                raise AssertionError("not to be called")

        Foreign.__module__, Foreign.__name__ = "torch", "Tensor"
        with self.assertRaisesRegex(TypeError, r"^x is a torch.Tensor, expected .* or a "
                                    r"liblstm.Tensor; use x.detach\(\).numpy\(\)$"):
            liblstm.Layer(1, 1).forward(Foreign())
        with self.assertRaisesRegex(TypeError, "got an int$"):
            liblstm.Params(lstm=3)
        with self.assertRaisesRegex(TypeError, "^expected an Adam, got a Params$"):
            params().save("x", adam=params())

    def test_an_option_that_does_not_exist_is_a_type_error_that_names_it(self):
        for function, arguments, name, hint in calls():
            with self.subTest(function=function, name=name):
                with self.assertRaises(TypeError) as caught:
                    function(*arguments, **{name: 1})
                self.assertIn(f"unexpected keyword argument '{name}'",
                              str(caught.exception))
                self.assertIn(hint, str(caught.exception))

    def test_the_message_is_that_of_python_with_a_hint(self):
        with self.assertRaises(TypeError) as caught:
            liblstm.Layer(3, 4, num_layers=2)
        self.assertEqual(str(caught.exception), "Layer() got an unexpected keyword argument "
                         "'num_layers'; did you mean 'layers'?")

    def test_values_that_do_not_exist_are_named(self):
        for function, message in (
                (lambda: liblstm.Layer(3, 4, layers=0), "layers is 0, expected at least 1"),
                (lambda: liblstm.Layer(-3, 4), "inputs is -3, expected at least 1"),
                (lambda: liblstm.Layer(3, 4, layers=2**64 + 1), "layers is 18446744073709551"),
                (lambda: liblstm.Layer(3, 4, precision="fp16"), "precision is 'fp16'"),
                (lambda: liblstm.Layer(3, 4, precision=3), "precision is 3"),
                (lambda: liblstm.CrossEntropy("avg"), "reduction is 'avg', expected mean, "),
                (lambda: liblstm.mse(liblstm.Tensor(1), liblstm.Tensor(1), reduction=7),
                 "reduction is 7"),
                (lambda: liblstm.Adam(params(), beta1=-0.5), "beta1 is -0.5"),
                (lambda: liblstm.Adam(params(), eps=-1e-8), "eps is -1e-08"),
                (lambda: liblstm.Plateau(1.0, factor=0), "factor is 0, expected above 0"),
                (lambda: liblstm.Plateau(1.0, patience=-1), "patience is -1"),
                (lambda: liblstm.Plateau(1.0, threshold=-1), "threshold is -1"),
                (lambda: liblstm.Schedule("step", 1.0, steps=1, gamma=0), "gamma is 0"),
                (lambda: liblstm.Schedule("steps", 1.0), "kind is 'steps'"),
                (lambda: liblstm.Embedding(3, 4, padding_index=-1), "padding_index is -1"),
                (lambda: liblstm.Stream(liblstm.Layer(1, 1), batch=0), "batch is 0"),
                (lambda: liblstm.Tensor(2, 3).select(-1, 0), "axis is -1"),
                (lambda: liblstm.Rng(2**64), "seed is 18446744073709551616"),
                (lambda: mnist.Dataset.open("train", synthetic_count=0),
                 "synthetic_count is 0"),
                (lambda: mnist.Dataset.open("train", download_seconds=0),
                 "download_seconds is 0"),
                (lambda: mnist.Dataset.open("train", limit=0), "limit is 0"),
                (lambda: mnist.Dataset.read("x", limit=0), "limit is 0"),
                (lambda: mnist.Loader(mnist.Dataset.synthetic(1), 0), "batch_size is 0"),
                (lambda: mnist.Loader(mnist.Dataset.synthetic(1), 1, std=0), "std is 0")):
            with self.subTest(message), self.assertRaises(ValueError) as caught:
                function()
            self.assertIn(message, str(caught.exception))
        with self.assertRaisesRegex(TypeError, "hidden is 4.0, expected an integer"):
            liblstm.Layer(3, 4.0)


class Zero(unittest.TestCase):
    """In C 0 is the default of an option, in Python it is 0."""

    def stepped(self, gradients=(0.5, -2.0), **options):
        """The parameter of Adam after steps with these gradients."""
        value, grad = liblstm.Tensor(1), liblstm.Tensor(1)
        made = liblstm.Params()
        made.add_tensor("a", value, grad)
        adam = liblstm.Adam(made, **options)
        for gradient in gradients:
            grad.fill(gradient)
            adam.step()
        return value.tolist()[0]

    def test_a_learning_rate_of_zero_changes_nothing(self):
        self.assertEqual(self.stepped(lr=0.0), 0.0)
        self.assertEqual(liblstm.Adam(params(), lr=0.0).lr, 0.0)
        self.assertNotEqual(self.stepped(), 0.0)

    def test_betas_of_zero_keep_no_moments(self):
        # With beta1 = 0 and beta2 = 0 each step is lr times the sign of the gradient.
        self.assertAlmostEqual(self.stepped(lr=0.5, beta1=0.0, beta2=0.0), 0.0, 6)
        self.assertAlmostEqual(self.stepped((0.5,) * 3, lr=0.5, beta1=0.0, beta2=0.0), -1.5, 6)
        self.assertGreater(abs(self.stepped(lr=0.5)), 0.01)

    def test_an_epsilon_of_zero_adds_nothing(self):
        tiny = 1e-12  # The default, 1e-8, would make the step 1e-4 of lr.
        self.assertAlmostEqual(self.stepped((tiny,), lr=1.0, eps=0.0), -1.0, 5)
        self.assertAlmostEqual(self.stepped((tiny,), lr=1.0), -1e-4, 5)

    def test_a_plateau_without_patience_or_threshold(self):
        impatient = liblstm.Plateau(1.0, patience=0)
        self.assertEqual([round(impatient.update(1.0), 9) for _ in range(3)],
                         [1.0, 0.1, 0.01])
        slow = liblstm.Plateau(1.0, patience=0, threshold=0.0)
        self.assertEqual([slow.update(1 - 1e-6 * step) for step in range(4)], [1.0] * 4)
        self.assertLess(liblstm.Plateau(1.0, patience=0).update(1.0), 1.5)

    def test_pixels_without_a_mean(self):
        loader = mnist.Loader(mnist.Dataset.synthetic(1), 1, mean=0.0, std=1.0)
        pixels = liblstm.Tensor(1, 28, 28)
        loader.start()
        loader.next(pixels)
        self.assertEqual(min(pixels.tolist()), 0.0)

    def test_the_state_of_a_plateau_can_be_restored(self):
        plateau = liblstm.Plateau(1.0, patience=1, factor=0.5)
        plateau.update(1.0)
        state = plateau.state
        rates = [plateau.update(1.0) for _ in range(3)]
        plateau.state = state
        self.assertEqual([plateau.update(1.0) for _ in range(3)], rates)
        self.assertLess(rates[-1], 1.0)


class Texts(unittest.TestCase):
    def test_repr_shows_shapes_and_options(self):
        layer = liblstm.Layer(3, 4, 2, batch_first=True, precision="bf16")
        head = liblstm.Linear(4, 2, no_bias=True)
        data = mnist.Dataset.synthetic(3)
        layer.train(False)
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/a"
            liblstm.Params(fc=head).save(path)
            file = liblstm.File(path)
        for value, text in (
                (layer, "Layer(3, 4, layers=2, batch_first=True, precision='bf16')"),
                (head, "Linear(4, 2, no_bias=True)"),
                (liblstm.Embedding(5, 3, padding_index=0), "Embedding(5, 3, padding_index=0)"),
                (liblstm.Tensor(2, 3), "Tensor(2, 3)"),
                (liblstm.Tensor(2, 3).select(1, 0), "Tensor(2, strides=(3,))"),
                (liblstm.Params(fc=head), "Params(fc.weight [2, 4])"),
                (liblstm.Adam(liblstm.Params(fc=head), lr=0.5, eps=0.0),
                 "Adam(<1 parameters>, lr=0.5, eps=0)"),
                (liblstm.CrossEntropy("sum", ignore_index=0),
                 "CrossEntropy(reduction='sum', ignore_index=0)"),
                (liblstm.Stream(layer, head), "Stream(Layer(3, 4, layers=2, batch_first=True, "
                 "precision='bf16'), Linear(4, 2, no_bias=True), batch=1)"),
                (liblstm.Tape(liblstm.Layer(1, 2)), "Tape(Layer(1, 2))"),
                (liblstm.Rng(7), "Rng(7)"),
                (liblstm.Plateau(0.5, patience=3), "Plateau(0.5, patience=3)"),
                (liblstm.Schedule("cosine", 0.1, steps=9), "Schedule('cosine', 0.1, steps=9)"),
                (file, f"File('{path}': fc.weight F32 [2, 4])"),
                (data, "<Dataset: 3 images [28, 28], 10 classes, synthetic digits"),
                (mnist.Loader(data, 2, shuffle=True), "Loader(<Dataset: 3 images"),
                (_c.LinearConfig(inputs=2, outputs=1),
                 "LinearConfig(inputs=2, outputs=1, no_bias=False)")):
            self.assertEqual(repr(value)[:len(text)], text)
        layer.close()
        self.assertEqual(repr(layer), "<closed Layer>")

    def test_every_class_has_a_repr_of_its_own(self):
        for module in (liblstm, mnist):
            for name in module.__all__:
                kind = getattr(module, name)
                if inspect.isclass(kind) and issubclass(kind, _native.Handle):
                    self.assertIn("_describe", vars(kind), name)

    def test_all_has_what_the_modules_define(self):
        for module in (liblstm, mnist):
            public = {name for name, value in vars(module).items()
                      if not name.startswith("_") and getattr(value, "__module__", None)
                      == module.__name__ and inspect.isroutine(value)}
            self.assertLessEqual(public, set(module.__all__))


class Paths(unittest.TestCase):
    def test_paths_of_every_kind_and_encoding(self):
        made = params()
        with tempfile.TemporaryDirectory() as folder:
            name = "\udcffmodel\udc80"  # Bytes that are not UTF-8.
            text = f"{folder}/{name}"
            for path in (text, text.encode(errors="surrogateescape"), pathlib.Path(text)):
                made.save(path)
                self.assertEqual([each.name for each in pathlib.Path(folder).iterdir()],
                                 [name])
                self.assertEqual(made.load(path), 0)
                self.assertEqual(liblstm.Linear.load(path, "fc").config.inputs, 2)
                pathlib.Path(text).unlink()
            made.save(text)
            self.assertIn("fc.weight", liblstm.File(text).tensors())
            self.assertEqual(len(liblstm.File(pathlib.Path(text).read_bytes()).tensors()), 2)
            with self.assertRaises(mnist.Error):
                mnist.Dataset.read(text.encode(errors="surrogateescape"))
            with self.assertRaisesRegex(ValueError, "expected no null byte"):
                made.save(f"{folder}/a\0b")
            with self.assertRaisesRegex(ValueError, "expected no null byte"):
                made.save(f"{folder}/a", metadata={"a\0b": "c"})
            with self.assertRaises(TypeError):
                made.save(3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
